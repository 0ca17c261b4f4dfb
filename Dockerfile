# syntax=docker/dockerfile:1
# The image of a node: `serve` by default, `worker` as its command. docs/deployment.md tells how it is run.
FROM node:20.20.2-bookworm-slim AS build
WORKDIR /build
# First what is installed, so that a change of the sources does not install anew.
COPY package.json package-lock.json .npmrc ./
COPY ismrmrd/package.json ismrmrd/
COPY stubs/ stubs/
RUN npm ci --ignore-scripts
COPY . .
RUN npm run build
RUN deploy/assemble.sh /opt/conus

FROM node:20.20.2-bookworm-slim
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG CREATED=unknown
LABEL org.opencontainers.image.title="Conus" \
      org.opencontainers.image.description="Scanner-side reconstruction for spine MR. Research software, not a medical device." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.created="$CREATED"
# Belongs to root and is only read; what is written lies in /data, in /store where nodes share it, and in /tmp.
COPY --from=build /opt/conus /opt/conus
RUN install -d -o 10001 -g 10001 -m 0700 /data /store
ENV NODE_ENV=production \
    CONUS_SPOOL_DATA=/data \
    CONUS_MRD_HOST=0.0.0.0 \
    CONUS_HTTP_HOST=0.0.0.0 \
    CONUS_HTTP_PORT=8080
USER 10001:10001
WORKDIR /data
VOLUME ["/data"]
EXPOSE 9002 8080
STOPSIGNAL SIGTERM
# Whether the process turns. Whether it wants work is /ready, which a balancer asks.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.CONUS_HTTP_PORT}/health`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "/opt/conus/dist/src/main.js"]
CMD ["serve"]
