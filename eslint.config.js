import tseslint from 'typescript-eslint';

export default tseslint.config(
  { ignores: ['**/dist/**', 'node_modules/**', 'lib/kernels/**', 'tools/stubs/**', 'figures/**', 'data/**'] },
  ...tseslint.configs.recommended,
  {
    files: ['lib/src/**/*.ts', 'tools/src/**/*.ts', 'benchmarks/src/**/*.ts', 'tests/**/*.ts'],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
    },
  },
  {
    // The kernel launcher must be CommonJS: it puts a wrapped compiler into require's cache before tslab is loaded.
    files: ['jupyter/**/*.cjs'],
    languageOptions: { sourceType: 'commonjs' },
    rules: { '@typescript-eslint/no-require-imports': 'off' },
  },
  {
    // Library code takes time, seed and folders as arguments; only the command line and the notebook room speak.
    files: ['lib/src/**/*.ts'],
    ignores: ['lib/src/cli.ts', 'lib/src/cli/**', 'lib/src/notebook/**'],
    rules: {
      'no-console': 'error',
      'no-restricted-properties': [
        'error',
        { object: 'Math', property: 'random' },
        { object: 'process', property: 'cwd' },
      ],
    },
  },
);
