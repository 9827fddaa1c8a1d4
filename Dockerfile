# The image of tollgate: one static binary, under its own name and those of the programs whose place it takes.
#
#   docker build -t tollgate .                  the image: no shell, nothing but the binary
#   docker build -t tollgate --target exec .    with bash, curl, helm, kubectl and others, for serve --enable-exec
#
# Each platform is built by a machine of its kind, or emulated: docker buildx build --platform linux/amd64,linux/arm64
# Files have the time of SOURCE_DATE_EPOCH, so that the same binary makes the same layer.

ARG RUST=docker.io/library/rust:1.95.0-slim-bookworm
ARG ALPINE=docker.io/library/alpine:3.22.2
ARG HELM=docker.io/alpine/helm:3.21.1
ARG KUBECTL=registry.k8s.io/kubectl:v1.36.2

FROM ${RUST} AS build
RUN apt-get update \
 && apt-get install --yes --no-install-recommends make musl-tools \
 && rm -rf /var/lib/apt/lists/* \
 && rustup target add "$(uname -m)-unknown-linux-musl"
WORKDIR /src
COPY . .
ARG SOURCE_DATE_EPOCH=0
RUN binary=$(deploy/image/compile) && deploy/image/lay-out "$binary" /image

# What goes into the image. A folder laid out elsewhere takes its place: --build-context files=FOLDER
FROM scratch AS files
COPY --from=build /image/ /

FROM scratch AS runtime
ARG REVISION=unknown
LABEL org.opencontainers.image.title="tollgate" \
      org.opencontainers.image.description="Makes load against a canary release, measures it honestly and answers pass or fail" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="https://github.com/tollgate/tollgate" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=files / /
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
# Any other user will do: nothing here belongs to one, and nothing is written.
USER 100:101
WORKDIR /home/app
EXPOSE 9090
# For Docker alone; Kubernetes has probes of its own. With another -port, give --health-cmd.
HEALTHCHECK --interval=10s --timeout=5s --start-period=5s \
  CMD ["wget", "--quiet", "--tries=1", "--timeout=4", "--spider", "http://localhost:9090/healthz"]
ENTRYPOINT ["./loadtester"]

# The programs that hooks of Flagger's loadtester run, in its versions; not those whose place tollgate takes.
FROM ${HELM} AS helm
FROM ${KUBECTL} AS kubectl
FROM ${ALPINE} AS programs
RUN apk add --no-cache bash bats ca-certificates curl git jq wrk \
 && addgroup -S -g 101 app && adduser -S -u 100 -G app -h /home/app -H app \
 && ln -s /bin/busybox /usr/local/bin/wget
COPY --from=helm /usr/bin/helm /usr/local/bin/helm
COPY --from=kubectl /bin/kubectl /usr/local/bin/kubectl

# The whole wget is the one of its PATH: scripts do more with it than probe.
FROM runtime AS exec
COPY --from=programs / /

FROM runtime
