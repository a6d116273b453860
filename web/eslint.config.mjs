import next from 'eslint-config-next/core-web-vitals';
import typescript from 'eslint-config-next/typescript';
import a11y from 'eslint-plugin-jsx-a11y';

const config = [
  { ignores: ['.next/**', 'out/**', 'screenshots/**', 'next-env.d.ts', 'public/sw.js'] },
  ...next,
  ...typescript,
  { rules: a11y.flatConfigs.strict.rules },
  {
    rules: {
      // Documents are opened by plain anchors: one exported page serves every id.
      '@next/next/no-html-link-for-pages': 'off',
      '@next/next/no-location-assign-relative-destination': 'off',
      'no-console': ['error', { allow: ['warn', 'error'] }],
      eqeqeq: 'error',
    },
  },
];

export default config;
