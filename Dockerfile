# One image for both processes: `recado serve` (the default) and `recado worker`.
FROM python:3.13-slim AS build
WORKDIR /src
COPY requirements.lock ./
# Nothing that this file does not name, with its hash, gets into the image.
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir --require-hashes --requirement requirements.lock
COPY pyproject.toml README.md ./
COPY bot bot
COPY evals evals
COPY pipelines pipelines
COPY sandbox sandbox
RUN /venv/bin/pip install --no-cache-dir --no-deps --no-build-isolation . \
  && /venv/bin/pip uninstall --yes setuptools pip

FROM python:3.13-slim
RUN useradd --create-home --uid 10001 recado && install -d -o recado /files
COPY --from=build /venv /venv
WORKDIR /home/recado
COPY prompts prompts
COPY knowledge knowledge
COPY templates templates
USER recado
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=3s CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/healthz', timeout=2)"]
CMD ["recado", "serve", "--host", "0.0.0.0"]
