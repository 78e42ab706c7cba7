#!/usr/bin/env bash
# Deploys all of GoalStream on Cloud Run from its images, after setup.sh; safe to run again. It needs gcloud, logged in, and these variables:
#   PROJECT, REGION       where
#   NETWORK, SUBNET       the VPC from which Kafka, Postgres and Redis are reached
#   REGISTRY, TAG         the images: $REGISTRY/goalstream-functions:$TAG and …/goalstream-tools:$TAG
#   KAFKA                 bootstrap servers, host:port
#   DATABASE              host:port/name?sslmode=…, without a user: each file names its own
# The texts are as these say, if they are set: LANGUAGES, ENRICH_STYLE, ENRICHER, ENRICHER_URL, OPENAI_BASE_URL, OPENAI_MODEL.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

: "${PROJECT:?}" "${REGION:?}" "${NETWORK:?}" "${SUBNET:?}" "${REGISTRY:?}" "${TAG:?}"
: "${KAFKA:?}" "${DATABASE:?}"
export PROJECT REGION NETWORK SUBNET REGISTRY TAG KAFKA DATABASE
export LANGUAGES="${LANGUAGES:-}" ENRICH_STYLE="${ENRICH_STYLE:-}" ENRICHER="${ENRICHER:-}"
export ENRICHER_URL="${ENRICHER_URL:-}" OPENAI_BASE_URL="${OPENAI_BASE_URL:-}" OPENAI_MODEL="${OPENAI_MODEL:-}"

filled=$(mktemp -d)
trap 'rm -rf "$filled"' EXIT

run() { gcloud run "$@" --project "$PROJECT" --region "$REGION" --quiet; }

replace() { # KIND FILE: apply a resource of this kind
  python3 -c 'import os, string, sys
sys.stdout.write(string.Template(sys.stdin.read()).substitute(os.environ))' <"$2" >"$filled/file.yaml"
  run "$1" replace "$filled/file.yaml"
}

address() { run services describe "$1" --format 'value(status.url)'; }

account() { echo "$1@$PROJECT.iam.gserviceaccount.com"; }

invokers() { # SERVICE ACCOUNT…: let only these accounts call it
  local members
  members=$(for name in "${@:2}"; do printf ',"serviceAccount:%s"' "$(account "$name")"; done)
  printf '{"bindings":[{"role":"roles/run.invoker","members":[%s]}]}\n' "${members:1}" \
    >"$filled/policy.json"
  run services set-iam-policy "$1" "$filled/policy.json"
}

for job in topics migrations; do
  replace jobs "jobs/$job.yaml"
  run jobs execute "$job" --wait
done
for service in services/*.yaml; do
  replace services "$service"
done
invokers consume-goal kafka-trigger
invokers enrich-batch kafka-trigger enrich-schedule

CONSUME_GOAL_URL=$(address consume-goal) ENRICH_BATCH_URL=$(address enrich-batch)
export CONSUME_GOAL_URL ENRICH_BATCH_URL
replace worker-pools kafka-trigger.yaml
run worker-pools update kafka-trigger --instances 2 # the file cannot set the number

# Enriches highlights whose announcement was lost; a minute is the shortest interval.
schedule=(http enrich-batch --project "$PROJECT" --location "$REGION" --schedule '* * * * *'
  --uri "$ENRICH_BATCH_URL" --http-method POST --message-body '{}' --attempt-deadline 60s
  --oidc-service-account-email "$(account enrich-schedule)" --oidc-token-audience "$ENRICH_BATCH_URL")
gcloud scheduler jobs create "${schedule[@]}" 2>/dev/null || gcloud scheduler jobs update "${schedule[@]}"
