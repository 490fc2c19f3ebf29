# A Tracer on port 1235 (Modbus RTU over TCP) and 1502 (Modbus/TCP). docs/ci.md; tests/test_container.py runs the steps.
FROM python:3.12-slim
ENV TRACERTWIN_CACHE=/var/cache/tracertwin PYTHONUNBUFFERED=1
COPY . /src
RUN pip install --no-cache-dir -c /src/constraints.txt /src
RUN tracertwin compile
RUN chmod -R a+rX /var/cache/tracertwin
RUN useradd --create-home --uid 1000 tracer
USER tracer
WORKDIR /home/tracer
EXPOSE 1235 1502
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s CMD tracertwin poll modbus-tcp:127.0.0.1:1502 0x3104
ENTRYPOINT ["tracertwin"]
CMD ["serve", "--link", "listen:0.0.0.0:1235", "--link", "modbus-tcp:0.0.0.0:1502"]
