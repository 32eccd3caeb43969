# One image for all commands: `docker run … signum-savotta-backend api`. No setting is in it, and no password.

FROM python:3.14-slim AS build
WORKDIR /build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
COPY requirements.lock .
RUN python -m venv --without-pip /opt/venv \
 && pip --python /opt/venv/bin/python install --quiet --require-hashes --requirement requirements.lock
COPY . .
# As a wheel, migrations included. pip compiles it: later nothing can be written.
RUN pip --python /opt/venv/bin/python install --quiet --no-deps --build-constraint requirements-dev.lock .

FROM python:3.14-slim
LABEL org.opencontainers.image.title="signum-savotta-backend" \
      org.opencontainers.image.version="1.0.0" \
      org.opencontainers.image.licenses="MIT"
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
RUN test -f /usr/share/zoneinfo/Europe/Helsinki # or TZ would be UTC without a word
COPY --from=build /opt/venv /opt/venv
USER 10001:10001
ENTRYPOINT ["signum"]
CMD ["--help"]
