// Package contract holds the API's contract: written by hand in YAML, split by path,
// bundled into openapi.gen.json and openapi.gen.yaml by the command in bundle/. It owns
// no behaviour; package openapi enforces what is written here.
//
//	openapi.yaml      the root: description, tags, credentials, and where each path is
//	paths/            one file for each resource: its operations
//	schemas/          one file for each resource: its data
//	parameters.yaml, headers.yaml, responses.yaml   what operations share
package contract

import (
	_ "embed"
	"fmt"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
)

//go:generate go run ./bundle

// JSON is the bundled contract as it is served at /openapi.json.
//
//go:embed openapi.gen.json
var JSON []byte

// YAML is the bundled contract as it is served at /openapi.yaml.
//
//go:embed openapi.gen.yaml
var YAML []byte

// Load is the bundled contract. It is parsed once, and the same document for all: who wants
// to change it calls Parse.
var Load = sync.OnceValues(Parse)

// Parse reads the bundled contract anew.
func Parse() (*openapi3.T, error) {
	doc, err := openapi3.NewLoader().LoadFromData(JSON)
	if err != nil {
		return nil, fmt.Errorf("load the contract: %w", err)
	}
	return doc, nil
}
