// Stand-in for static-module (cwise pulls it, for bundling with browserify): nothing is bundled here.
module.exports = () => {
  throw new Error('bundling with browserify is not installed');
};
