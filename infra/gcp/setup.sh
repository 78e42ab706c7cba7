#!/usr/bin/env bash
# Creates what deploy.sh requires; safe to run again. It needs gcloud, logged in, and these
# variables:
#   PROJECT, REGION       where
#   SUBNET                of the VPC from which Kafka, Postgres and Redis are reached
#   SECRETS               a folder with a file for each mounted secret, with the secret's name
# Each file's service account may read the secrets that the file mounts, and no others; the
# schedule's reads none. A new account takes a moment to be known everywhere: if one does not exist,
# run this again.
set -euo pipefail

: "${PROJECT:?}" "${REGION:?}" "${SUBNET:?}" "${SECRETS:?}"
SECRETS=$(cd "$SECRETS" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")"

google() { gcloud "$@" --project "$PROJECT" --quiet; }

is_there() { google "$@" >/dev/null 2>&1; }

named() { sed -n "s/.*$1: \([a-z-]*\).*/\1/p" "$2"; } # FIELD FILE: the names in a field of a file

address() { echo "$1@$PROJECT.iam.gserviceaccount.com"; }

account() { # NAME: create it if it does not exist
  is_there iam service-accounts describe "$(address "$1")" ||
    google iam service-accounts create "$1"
}

google services enable run.googleapis.com cloudbuild.googleapis.com artifactregistry.googleapis.com \
  secretmanager.googleapis.com cloudscheduler.googleapis.com compute.googleapis.com iam.googleapis.com
google compute networks subnets update "$SUBNET" --region "$REGION" --enable-private-ip-google-access
is_there artifacts repositories describe goalstream --location "$REGION" ||
  google artifacts repositories create goalstream --location "$REGION" --repository-format docker
google auth configure-docker "$REGION-docker.pkg.dev"

account enrich-schedule
for file in services/*.yaml jobs/*.yaml kafka-trigger.yaml; do
  name=$(named serviceAccountName "$file")
  account "$name"
  for secret in $(named secretName "$file"); do
    is_there secrets describe "$secret" ||
      google secrets create "$secret" --data-file "$SECRETS/$secret"
    google secrets add-iam-policy-binding "$secret" --member "serviceAccount:$(address "$name")" \
      --role roles/secretmanager.secretAccessor >/dev/null
  done
done
