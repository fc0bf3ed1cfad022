# One image a service, from one build: `docker build --target gateway .` and so on.
ARG NODE_IMAGE=node:24-trixie-slim

# What every stage installs packages from: the lock and each workspace's own list.
FROM ${NODE_IMAGE} AS manifests
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY shared/package.json shared/
COPY services/gateway/package.json services/gateway/
COPY services/frame-extractor/package.json services/frame-extractor/
COPY services/face-detector/package.json services/face-detector/
COPY services/segmenter/package.json services/segmenter/
COPY web/package.json web/
COPY tests/package.json tests/

# TypeScript, the page, and the binding of OpenCV.
FROM manifests AS build
RUN --mount=type=cache,target=/root/.npm npm ci --ignore-scripts
RUN --mount=type=cache,target=/var/cache/apt,sharing=locked \
    --mount=type=cache,target=/var/lib/apt/lists,sharing=locked \
    rm -f /etc/apt/apt.conf.d/docker-clean && apt-get update && \
    apt-get install -y --no-install-recommends \
      libopencv-objdetect-dev libopencv-dnn-dev opencv-data g++ make python3
COPY scripts/setup scripts/setup
RUN --mount=type=cache,target=/root/.cache \
    node --input-type=module \
      -e "await (await import('/app/scripts/setup/opencv-addon.mjs')).ensureOpenCvAddon()"
# The network that finds faces best, if it can be fetched; another address has the same file.
ARG YUNET_URL
RUN node --input-type=module \
      -e "await (await import('/app/scripts/setup/yunet-model.mjs')).ensureYunetModel({ directory: '/app/models', addresses: process.env.YUNET_URL ? [process.env.YUNET_URL] : undefined })" && \
    mkdir -p models
COPY tsconfig.base.json vitest-context.d.ts ./
COPY shared shared
COPY services services
COPY web web
RUN npx tsc --build services/* && npm run build --workspace web

# What a service needs of node_modules, and nothing else.
FROM manifests AS gateway-modules
RUN --mount=type=cache,target=/root/.npm \
    npm ci --ignore-scripts --omit=dev --workspace services/gateway --workspace shared
FROM manifests AS frame-extractor-modules
RUN --mount=type=cache,target=/root/.npm \
    npm ci --ignore-scripts --omit=dev --workspace services/frame-extractor --workspace shared
FROM manifests AS face-detector-modules
RUN --mount=type=cache,target=/root/.npm \
    npm ci --ignore-scripts --omit=dev --workspace services/face-detector --workspace shared && \
    # The package has the ONNX runtime of every platform; one is 50 MB.
    find node_modules/onnxruntime-node/bin/napi-v6 -mindepth 2 -maxdepth 2 \
      ! -path "*/linux/$(node -p process.arch)" -exec rm -r {} +
COPY --from=build /app/node_modules/@u4/opencv4nodejs/build/Release/opencv4nodejs.node \
    node_modules/@u4/opencv4nodejs/build/Release/
FROM manifests AS segmenter-modules
RUN --mount=type=cache,target=/root/.npm \
    npm ci --ignore-scripts --omit=dev --workspace services/segmenter --workspace shared

# What all services have in common. The volumes take their owner from these directories.
FROM ${NODE_IMAGE} AS service
WORKDIR /app
RUN mkdir /hls /frames /recordings && chown node:node /hls /frames /recordings
ENV NODE_ENV=production HLS_DIR=/hls FRAMES_DIR=/frames RECORDINGS_DIR=/recordings
# Who can reach a container is decided by its networks.
ENV HOST=* OPS_HOST=* OPS_PORT=9090
HEALTHCHECK --interval=5s --timeout=20s --start-period=30s --retries=3 \
    CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.OPS_PORT + '/healthz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
COPY --from=build /app/shared/package.json shared/
COPY --from=build /app/shared/dist shared/dist

FROM service AS service-with-ffmpeg
RUN --mount=type=cache,target=/var/cache/apt,sharing=locked \
    --mount=type=cache,target=/var/lib/apt/lists,sharing=locked \
    rm -f /etc/apt/apt.conf.d/docker-clean && apt-get update && \
    apt-get install -y --no-install-recommends ffmpeg

FROM service AS service-with-opencv
RUN --mount=type=cache,target=/var/cache/apt,sharing=locked \
    --mount=type=cache,target=/var/lib/apt/lists,sharing=locked \
    rm -f /etc/apt/apt.conf.d/docker-clean && apt-get update && \
    apt-get install -y --no-install-recommends libopencv-objdetect410 libopencv-dnn410 opencv-data

FROM service AS gateway
COPY --from=gateway-modules /app/node_modules node_modules
COPY --from=build /app/web/dist web/dist
COPY --from=build /app/services/gateway/package.json services/gateway/
COPY --from=build /app/services/gateway/dist services/gateway/dist
ENV PORT=4000 OPS_PORT=4000
EXPOSE 4000
USER node
CMD ["node", "services/gateway/dist/main.js"]

FROM service-with-ffmpeg AS frame-extractor
COPY --from=frame-extractor-modules /app/node_modules node_modules
COPY --from=build /app/services/frame-extractor/package.json services/frame-extractor/
COPY --from=build /app/services/frame-extractor/dist services/frame-extractor/dist
USER node
CMD ["node", "services/frame-extractor/dist/main.js"]

FROM service-with-opencv AS face-detector
COPY --from=face-detector-modules /app/node_modules node_modules
COPY --from=build /app/services/face-detector/package.json services/face-detector/
COPY --from=build /app/services/face-detector/dist services/face-detector/dist
COPY services/face-detector/models services/face-detector/models
# Where the setup keeps it, too: in a folder of the cache.
COPY --from=build /app/models facecast
ENV XDG_CACHE_HOME=/app
USER node
CMD ["node", "services/face-detector/dist/main.js"]

FROM service-with-ffmpeg AS segmenter
COPY --from=segmenter-modules /app/node_modules node_modules
COPY --from=build /app/services/segmenter/package.json services/segmenter/
COPY --from=build /app/services/segmenter/dist services/segmenter/dist
USER node
CMD ["node", "services/segmenter/dist/main.js"]
