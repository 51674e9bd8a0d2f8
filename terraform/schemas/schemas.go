// Package schemas knows which resources and data sources of the provider for AWS the modules use, with their arguments and
// blocks, as the provider itself has them. The registry of providers is not asked: aws.json is made of an npm package
// in which the provider's own schema is published as types, by make terraform-schemas, whenever a kind is added.
package schemas

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"sync"
)

//go:embed aws.json
var aws []byte

// Provider is a provider's schema, of the kinds that are used.
type Provider struct {
	Version   string           `json:"version"` // of the provider
	Resources map[string]*Kind `json:"resources"`
	Data      map[string]*Kind `json:"data"`
}

// Kind is a kind of resource or data source.
type Kind struct {
	Body
	// Attributes are what can be asked of one, in the types' spelling: latestVersion for latest_version.
	Attributes []string `json:"attributes"`
}

// Body is what may stand in a block.
type Body struct {
	Arguments map[string]Argument `json:"arguments,omitempty"`
	Blocks    map[string]*Block   `json:"blocks,omitempty"`
}

// Argument is one that may be given a value.
type Argument struct {
	Required bool   `json:"required,omitempty"`
	Type     string `json:"type"` // string, number, boolean, list or map
}

// Block is a block within another.
type Block struct {
	Body
	Required bool `json:"required,omitempty"`
}

// AWS is the provider for AWS.
var AWS = sync.OnceValues(func() (*Provider, error) {
	p := &Provider{}
	if err := json.Unmarshal(aws, p); err != nil {
		return nil, fmt.Errorf("aws.json: %w", err)
	}
	return p, nil
})
