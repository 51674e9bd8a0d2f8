// Package gen holds the data of the contract as Go types, made by oapi-codegen from the
// bundled contract. Only openapi/handlers and tests import it.
package gen
