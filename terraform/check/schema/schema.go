// Package schema knows which resources and data sources of the provider for AWS the modules use, as the provider itself
// declares them. The registry of providers is not asked: aws.json is made, by make terraform-schemas whenever a kind is
// added, of an npm package that is generated from the provider's own schema.
package schema

import (
	_ "embed"
	"encoding/json"
	"fmt"
)

//go:embed aws.json
var aws []byte

// Provider is a provider's schema, of the kinds that are used. Its parts are as terraform providers schema -json has them.
type Provider struct {
	Version   string            `json:"version"` // of the provider
	Provider  *Block            `json:"provider"`
	Resources map[string]*Block `json:"resource_schemas"`
	Data      map[string]*Block `json:"data_source_schemas"`
}

// Block is what may stand in a block, and be asked of it.
type Block struct {
	Attributes map[string]*Attribute `json:"attributes,omitempty"`
	Blocks     map[string]*Nested    `json:"block_types,omitempty"`
}

// Attribute is a value: a required one, an optional one, or one that only the provider knows.
//
// Whether the provider fills in an optional one that is not given is not told by the package, save for those that are
// objects: it is taken to do so for id and region alone.
type Attribute struct {
	Type     json.RawMessage `json:"type"` // as "string" or ["list", "string"]
	Required bool            `json:"required,omitempty"`
	Optional bool            `json:"optional,omitempty"`
	Computed bool            `json:"computed,omitempty"`
}

// Nested is a block within another.
type Nested struct {
	Nesting string `json:"nesting_mode"` // single, list or set
	Block   *Block `json:"block"`
	Min     int64  `json:"min_items,omitempty"`
	Max     int64  `json:"max_items,omitempty"`
}

// AWS is the provider for AWS.
func AWS() (*Provider, error) {
	p := &Provider{}
	if err := json.Unmarshal(aws, p); err != nil {
		return nil, fmt.Errorf("aws.json: %w", err)
	}
	return p, nil
}
