# docker build -t landmark . (--build-arg VERSION=… names it)
# docker run -p 8080:8080 -e DATABASE_URL=postgres://… landmark
FROM golang:1.26-bookworm AS build
WORKDIR /src
# The modules in a layer of their own, which a change of code leaves alone.
COPY go.mod go.sum ./
RUN go mod download
COPY . .
# Static: the image has no C library.
ARG VERSION=dev
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=$VERSION" -o /out/landmark ./cmd/landmark
# The certificates of the build image, for mail, webhooks and a database by TLS.
# An empty folder for uploads that are written to disk, which belongs to the user below.
RUN mkdir -p /out/etc/ssl/certs /out/tmp /out/var \
	&& cp /etc/ssl/certs/ca-certificates.crt /out/etc/ssl/certs/ \
	&& printf 'landmark:x:65532:65532:landmark:/:/none\n' > /out/etc/passwd \
	&& printf 'landmark:x:65532:\n' > /out/etc/group \
	&& chmod 1777 /out/tmp

# Nothing but the program: no shell, no packages. Time zone data is in the binary.
FROM scratch
ARG VERSION=dev
LABEL org.opencontainers.image.title="Landmark" \
	org.opencontainers.image.description="标志性成果进展看板" \
	org.opencontainers.image.version="$VERSION" \
	org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build --chown=65532:65532 /out/ /
USER 65532:65532
# There is no PostgreSQL in here, so DATABASE_URL has to name one.
ENV LISTEN=0.0.0.0:8080 \
	LOG_FORMAT=json \
	DATA_DIR=/var
EXPOSE 8080
# The program asks its own /healthz: one whose database is away waits for it, and is
# not to be started anew. A balancer asks /readyz.
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 CMD ["/landmark", "healthcheck"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["/landmark"]
CMD ["serve"]
