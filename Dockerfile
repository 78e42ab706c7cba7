# The images of GoalStream, one target each: `functions` hosts any of the functions and runs the
# migrations; `lambda` hosts any of them on AWS Lambda; `tools` adds the Kafka trigger and cron, which
# a cloud would provide; `gateway` is Caddy with its routes and pages. The classic builder and BuildKit
# both build it.

# infra/images.env pins both by digest.
ARG PYTHON_IMAGE=python:3.13-slim
ARG CADDY_IMAGE=caddy:2

FROM ${PYTHON_IMAGE} AS packages
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
# An environment without pip: build tools stay in this stage.
RUN python -m venv --without-pip /opt/venv
COPY requirements.txt ./
RUN pip --python /opt/venv/bin/python install --require-hashes -r requirements.txt

FROM ${PYTHON_IMAGE} AS swagger-ui
WORKDIR /build
COPY local/gateway/requirements.txt ./
RUN pip install --no-cache-dir --no-deps --require-hashes --target /swagger-ui -r requirements.txt

# Compiled here, since the file system of a running function is read-only. Without a check whether a
# source is newer: a file of the image never changes.
FROM ${PYTHON_IMAGE} AS source
WORKDIR /app
COPY functions functions
COPY infra infra
RUN python -m compileall -q --invalidation-mode unchecked-hash functions infra

FROM ${PYTHON_IMAGE} AS tool-source
WORKDIR /app
COPY local local
RUN python -m compileall -q --invalidation-mode unchecked-hash local

FROM ${PYTHON_IMAGE} AS functions
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONPATH=/app HOME=/tmp XDG_RUNTIME_DIR=/tmp \
    FUNCTION_USE_ASGI=true PORT=8080
WORKDIR /app
COPY --from=packages /opt/venv /opt/venv
COPY --from=source /app /app
USER 10001:10001
CMD ["python", "-m", "functions_framework"]
# The commit that an image is made of, as in: docker build --build-arg REVISION="$(git rev-parse HEAD)"
ARG REVISION
LABEL org.opencontainers.image.title=goalstream-functions \
      org.opencontainers.image.description="Any of GoalStream's functions, and its migrations" \
      org.opencontainers.image.version=0.1.0 \
      org.opencontainers.image.licenses=MIT \
      org.opencontainers.image.revision=$REVISION

# Lambda runs it as its own user, which can write only to /tmp.
FROM functions AS lambda
USER 0:0
COPY infra/aws/requirements.txt infra/aws/
RUN pip --python /opt/venv/bin/python install --no-cache-dir --root-user-action=ignore \
    --require-hashes -r infra/aws/requirements.txt
USER 10001:10001
ENTRYPOINT ["python", "-m", "awslambdaric"]
CMD ["infra.aws.lambda_handler.handler"]
LABEL org.opencontainers.image.title=goalstream-lambda \
      org.opencontainers.image.description="Any of GoalStream's functions, for AWS Lambda"

FROM functions AS tools
USER 0:0
COPY local/requirements.txt local/
RUN pip --python /opt/venv/bin/python install --no-cache-dir --root-user-action=ignore \
    --require-hashes -r local/requirements.txt
COPY --from=tool-source /app/local local
USER 10001:10001
CMD ["python", "-m", "local.kafka_trigger", "run", "local/triggers.toml"]
LABEL org.opencontainers.image.title=goalstream-tools \
      org.opencontainers.image.description="GoalStream's Kafka trigger, cron and replay tool"

# A copy: the original has the capability to bind low ports, and does not start without it.
FROM ${CADDY_IMAGE} AS caddy
RUN cp /usr/bin/caddy /caddy

FROM ${PYTHON_IMAGE} AS gateway
COPY --from=caddy /caddy /usr/bin/caddy
COPY --from=swagger-ui /swagger-ui/flask_swagger_ui/dist /srv/swagger-ui
COPY local/gateway/pages /srv/pages
COPY infra/openapi/events.json infra/openapi/highlights.json /srv/openapi/
COPY local/gateway/Caddyfile /etc/caddy/Caddyfile
ENV OPENAPI_DIR=/srv/openapi PAGES_DIR=/srv/pages SWAGGER_UI_DIR=/srv/swagger-ui
USER 10001:10001
CMD ["caddy", "run", "--config", "/etc/caddy/Caddyfile"]
ARG REVISION
LABEL org.opencontainers.image.title=goalstream-gateway \
      org.opencontainers.image.description="GoalStream's gateway and its pages" \
      org.opencontainers.image.version=0.1.0 \
      org.opencontainers.image.licenses=MIT \
      org.opencontainers.image.revision=$REVISION
