import { defineConfig } from 'prisma/config';

// `prisma generate` is pure WebAssembly, yet the command looks for a native engine and would download one. Any executable
// file satisfies that look-up, so that installing needs nothing but npm. Migrations are applied by src/database.
process.env.PRISMA_SCHEMA_ENGINE_BINARY ??= process.execPath;

export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
  ...(process.env.DATABASE_URL ? { datasource: { url: process.env.DATABASE_URL } } : {}),
});
