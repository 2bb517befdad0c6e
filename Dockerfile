# docs/self-hosting.md describes how to run the image. Debian, because workerd and the embedded database need glibc.
FROM node:24.21.0-bookworm-slim AS base
WORKDIR /app

# Bundles the service, for which it needs wrangler.
FROM base AS build
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY . .
RUN npm run build
RUN mkdir data

# What serving it needs, apart from workerd.
FROM base AS packages
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev

FROM base
ENV NODE_ENV=production HOST=0.0.0.0 PORT=8000 DATA_DIR=data
COPY --from=packages /app/node_modules node_modules
COPY --from=build /app/node_modules/workerd node_modules/workerd
COPY --from=build /app/dist dist
COPY package.json pricing_config.json ./
COPY client client
COPY scripts scripts
COPY src src
COPY --from=build --chown=node:node /app/data data
USER node
VOLUME /app/data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/health`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "scripts/start.ts", "--built", "dist"]
