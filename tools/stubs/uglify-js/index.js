// Stand-in for uglify-js 2 (cwise pulls it, for bundling with browserify): nothing is bundled here.
module.exports = {
  minify() {
    throw new Error('bundling with browserify is not installed');
  },
};
