# The connector without tools: built and installed in the first stage, run in the second.
FROM python:3.12-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
# What changes seldom comes first. Only wheels with known hashes: nothing is compiled here.
COPY requirements.build.lock requirements.runtime.lock ./
RUN python -m pip install --require-hashes --only-binary :all: --requirement requirements.build.lock \
    && python -m venv --without-pip /opt/connector \
    && python -m pip --python /opt/connector/bin/python install \
        --require-hashes --only-binary :all: --requirement requirements.runtime.lock
COPY pyproject.toml README.md LICENSE ./
COPY connector connector
COPY adapters adapters
COPY mappings mappings
COPY webhooks webhooks
# sqlite-utils asks for pip, for a command of its own that is not used here.
RUN python -m pip wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
    && python -m pip --python /opt/connector/bin/python install --no-deps --no-index /wheels/*.whl \
    && python -m pip --python /opt/connector/bin/python uninstall --yes pip

FROM python:3.12-slim
LABEL org.opencontainers.image.title="shop-connector" \
      org.opencontainers.image.licenses="MIT"
# A user of its own, with nothing to log in to; /data holds the store and is for it alone.
RUN groupadd --system --gid 10001 connector \
    && useradd --system --uid 10001 --gid connector --home-dir /data --no-create-home \
        --shell /usr/sbin/nologin connector \
    && install --directory --mode 0700 --owner connector --group connector /data
COPY --from=build /opt/connector /opt/connector
ENV PATH=/opt/connector/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    CONNECTOR_LISTEN=0.0.0.0:8080
USER connector
WORKDIR /data
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
# For `run` and `serve`. A container that only works has no receiver: switch this off there.
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as u; u.build_opener(u.ProxyHandler({})).open('http://127.0.0.1:' + os.environ['CONNECTOR_LISTEN'].rpartition(':')[2] + '/health/live', timeout=4)"]
ENTRYPOINT ["connector"]
CMD ["run"]
