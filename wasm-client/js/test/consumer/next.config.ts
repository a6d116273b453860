import type { NextConfig } from 'next';

// Nothing about the package is said here: it has to work as it comes.
const config: NextConfig = {
  distDir: process.env.DIST ?? '.next',
  typescript: { ignoreBuildErrors: process.env.DIST === '.next-webpack' },
};

export default config;
