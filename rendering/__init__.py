"""Photographs to paintings. Knows no HTTP and nobody's name.

The data path, in order:

1. `sources.admit` takes a file in the web process: header only, content-named by a keyed hash.
2. `renditions.commission` asks for a source in a recipe; what is painted already is found at once.
3. `queue` carries ids to a worker, `jobs` is the worker's door.
4. `sources.read` decodes once: canvas, fingerprints, thumbnails; then its commissions find or make renditions.
5. `renditions.paint` claims and paints all that one canvas needs (`pipeline.paint`, `styles`, `kernels`), and files it
   in `store`.
6. `exports` makes a painting's file in another format or at an intensity, when somebody wants to save it.
7. `renditions.retry_stale`, `sources.retry_stale` and `exports.retry_stale` bring back what a crash left behind.
"""
