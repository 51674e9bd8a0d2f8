// Package imports takes catalogues in from files, today the product CSV that Shopify
// exports. An import is an operation: it is asked for in one request and worked on
// afterwards by a job, slice by slice, each batch of products in one transaction with the
// fates of its rows and the place where the next batch begins. A worker that is killed
// leaves whole batches behind, and the next goes on after them.
//
// Pictures are named by their addresses. They are fetched after their products were made,
// a few of an import at a time, each by a job of its own.
//
// The package owns operations, operation_rows and import_images. Products, stock and
// images change by the catalogue's rules.
package imports
