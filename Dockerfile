# The image of the `longshore` binary: `docker build -t longshore .`
#
# Any Rust from `rust-version` in Cargo.toml on will do.
ARG RUST_VERSION=1.95
ARG DEBIAN_RELEASE=bookworm
# Tags move. Where a build must be the same again, `packaging/pin-images` finds the digests:
#   docker build --build-arg RUST_DIGEST=@sha256:… --build-arg DEBIAN_DIGEST=@sha256:… .
ARG RUST_DIGEST=
ARG DEBIAN_DIGEST=

FROM rust:${RUST_VERSION}-slim-${DEBIAN_RELEASE}${RUST_DIGEST} AS build
WORKDIR /src
COPY . .
# The caches live outside the layers: an edit recompiles what it touched and nothing else.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked --package longshore-cli \
    && install -D target/release/longshore /out/longshore

# Not distroless: exec steps start programs, and most of them want a shell and a C library.
FROM debian:${DEBIAN_RELEASE}-slim${DEBIAN_DIGEST}
# Root certificates, for HTTP steps and stores behind TLS.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 65532 longshore \
    && useradd --uid 65532 --gid 65532 --no-create-home --home-dir /var/lib/longshore \
       --shell /usr/sbin/nologin longshore \
    && install --directory --owner=65532 --group=65532 --mode=0700 /var/lib/longshore
COPY --from=build /out/longshore /usr/local/bin/longshore

LABEL org.opencontainers.image.title="longshore" \
      org.opencontainers.image.description="A distributed work queue over the stores people already run" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0"

USER 65532:65532
WORKDIR /var/lib/longshore
VOLUME /var/lib/longshore
ENV LONGSHORE_STORE=sqlite:///var/lib/longshore/queue.db

# SIGTERM drains: running jobs get 45 s, so stop with at least 60 s (`docker stop --time 60`).
# Run with `--init` where steps start programs: an orphan of theirs then finds a parent.
STOPSIGNAL SIGTERM
# No HEALTHCHECK: only a worker with `--admin` has something to ask, at /livez (compose.yaml shows
# how). A store that is away makes no worker ill, and starting it again would not help.
ENTRYPOINT ["longshore"]
CMD ["--help"]
