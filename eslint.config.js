import js from '@eslint/js';
import graphql from '@graphql-eslint/eslint-plugin';
import prettier from 'eslint-config-prettier';
import tseslint from 'typescript-eslint';

// The plugin keeps the first configuration that it meets, so both kinds of file share one.
const graphQLConfig = { schema: 'schema/*.graphql', documents: 'sdk/operations/*.graphql' };

/** The SDL is linted as the contract that it is: everything described, and named as the field names it. */
const sdl = {
  files: ['schema/**/*.graphql'],
  languageOptions: { parser: graphql.parser, parserOptions: { graphQLConfig } },
  plugins: { '@graphql-eslint': graphql },
  rules: {
    '@graphql-eslint/known-argument-names': 'error',
    '@graphql-eslint/known-directives': 'error',
    '@graphql-eslint/known-type-names': 'error',
    '@graphql-eslint/naming-convention': [
      'error',
      {
        types: 'PascalCase',
        FieldDefinition: 'camelCase',
        InputValueDefinition: 'camelCase',
        Argument: 'camelCase',
        DirectiveDefinition: 'camelCase',
        EnumValueDefinition: 'UPPER_CASE',
      },
    ],
    '@graphql-eslint/no-duplicate-fields': 'off',
    '@graphql-eslint/no-typename-prefix': 'off',
    '@graphql-eslint/no-unreachable-types': 'error',
    '@graphql-eslint/require-deprecation-reason': 'error',
    '@graphql-eslint/require-description': [
      'error',
      {
        types: true,
        DirectiveDefinition: true,
        EnumValueDefinition: true,
        FieldDefinition: true,
        InputValueDefinition: true,
        rootField: true,
      },
    ],
    '@graphql-eslint/unique-enum-value-names': 'error',
    '@graphql-eslint/unique-type-names': 'error',
  },
};

const operations = {
  files: ['sdk/operations/**/*.graphql'],
  languageOptions: {
    parser: graphql.parser,
    parserOptions: { graphQLConfig },
  },
  plugins: { '@graphql-eslint': graphql },
  rules: {
    '@graphql-eslint/known-fragment-names': 'error',
    '@graphql-eslint/no-anonymous-operations': 'error',
    '@graphql-eslint/no-deprecated': 'error',
    '@graphql-eslint/unique-fragment-name': 'error',
    '@graphql-eslint/unique-operation-name': 'error',
  },
};

export default tseslint.config(
  { ignores: ['node_modules', 'dist', '.data', 'src/generated', 'sdk/src/generated', 'sdk/dist', 'coverage'] },
  { files: ['**/*.{ts,js}'], ...js.configs.recommended },
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { project: './tsconfig.json', tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true },
      ],
      '@typescript-eslint/prefer-promise-reject-errors': 'off',
      '@typescript-eslint/require-await': 'off',
      // Our objects are plain records of functions; none of them uses `this`.
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      'no-restricted-globals': ['error', { name: 'fetch', message: 'Outgoing HTTP goes through one guarded place.' }],
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/config.ts', 'src/database/migrate.ts', 'src/database/backup.ts'],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'Only src/config.ts reads the environment.' },
      ],
      'no-console': 'error',
    },
  },
  {
    // Answers of the API are read as a client without generated types reads them.
    files: ['test/**/*.ts', 'bench/**/*.ts', 'sdk/**/*.ts'],
    rules: {
      '@typescript-eslint/no-explicit-any': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      'no-restricted-globals': 'off',
    },
  },
  { files: ['**/*.js'], languageOptions: { globals: { process: 'readonly', console: 'readonly' } } },
  sdl,
  operations,
  prettier,
);
