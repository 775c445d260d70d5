# One image for every service of docker-compose.yaml that is Airflow's or MLflow's: the hashed lock and the project.
# The official Airflow image brings providers of its own that clash with a lock; a plain Python does not.
FROM python:3.12.11-slim-bookworm AS environment

# Bytecode is compiled while packages are installed: every import would otherwise take twice as long.
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
COPY requirements.txt /
RUN python -m venv /opt/venv \
 && /opt/venv/bin/pip install --require-hashes --requirement /requirements.txt


FROM python:3.12.11-slim-bookworm

# A fixed number, so that files on volumes keep their owner from one image to the next.
RUN groupadd --gid 10001 perennial \
 && useradd --uid 10001 --gid perennial --no-create-home --home-dir /opt/airflow --shell /usr/sbin/nologin perennial \
 && install --directory --owner perennial --group perennial --mode 0750 \
      /opt/airflow /var/perennial/state /var/perennial/logs /var/perennial/artifacts

COPY --from=environment /opt/venv /opt/venv
COPY dags /opt/perennial/dags
COPY plugins /opt/perennial/plugins
COPY config /opt/perennial/config
COPY include /opt/perennial/include

ENV PATH=/opt/venv/bin:$PATH \
    PYTHONPATH=/opt/perennial/include:/opt/perennial/config \
    PYTHONUNBUFFERED=1 \
    AIRFLOW_HOME=/opt/airflow \
    PERENNIAL_PROJECT=/opt/perennial \
    PERENNIAL_HOME=/var/perennial/state

# The project belongs to root and is read-only to those who run it; its bytecode is made here.
RUN python -m compileall -q /opt/perennial/include /opt/perennial/config \
 && printf '#!/bin/sh\nexec python -m perennial.cli "$@"\n' > /usr/local/bin/perennial \
 && chmod 0755 /usr/local/bin/perennial

USER 10001:10001
WORKDIR /opt/perennial
CMD ["perennial", "--help"]
