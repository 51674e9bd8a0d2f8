// Package check has OpenTofu hold terraform/ against the schema of the provider for AWS, and run its tests, where neither
// AWS nor the registry of providers is there. It is a module of its own, as OpenTofu is a tool and nothing of the program's.
package check

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-go/tfprotov5"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/stoacommerce/stoa/terraform/check/schema"
)

// provider is the provider for AWS as far as its schema goes. It plans and applies nothing: the methods for that are
// those of an interface that holds nothing, and OpenTofu calls none of them where the provider is mocked.
type provider struct {
	tfprotov5.ProviderServer
	served *tfprotov5.GetProviderSchemaResponse
}

// serving is the provider with a schema.
func serving(of *schema.Provider) (*provider, error) {
	own, err := declared(of.Provider)
	if err != nil {
		return nil, fmt.Errorf("the provider: %w", err)
	}
	served := &tfprotov5.GetProviderSchemaResponse{
		Provider:          own,
		ResourceSchemas:   map[string]*tfprotov5.Schema{},
		DataSourceSchemas: map[string]*tfprotov5.Schema{},
	}
	for into, kinds := range map[*map[string]*tfprotov5.Schema]map[string]*schema.Block{
		&served.ResourceSchemas: of.Resources, &served.DataSourceSchemas: of.Data,
	} {
		for name, block := range kinds {
			if (*into)[name], err = declared(block); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	return &provider{served: served}, nil
}

func declared(b *schema.Block) (*tfprotov5.Schema, error) {
	block, err := blockOf(b)
	return &tfprotov5.Schema{Block: block}, err
}

var nestings = map[string]tfprotov5.SchemaNestedBlockNestingMode{
	"single": tfprotov5.SchemaNestedBlockNestingModeSingle,
	"list":   tfprotov5.SchemaNestedBlockNestingModeList,
	"set":    tfprotov5.SchemaNestedBlockNestingModeSet,
}

func blockOf(b *schema.Block) (*tfprotov5.SchemaBlock, error) {
	block := &tfprotov5.SchemaBlock{}
	for name, a := range b.Attributes {
		kind, err := tftypes.ParseJSONType(a.Type)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		block.Attributes = append(block.Attributes, &tfprotov5.SchemaAttribute{
			Name: name, Type: kind, Required: a.Required, Optional: a.Optional, Computed: a.Computed,
		})
	}
	for name, n := range b.Blocks {
		within, err := blockOf(n.Block)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		block.BlockTypes = append(block.BlockTypes, &tfprotov5.SchemaNestedBlock{
			TypeName: name, Block: within, Nesting: nestings[n.Nesting], MinItems: n.Min, MaxItems: n.Max,
		})
	}
	return block, nil
}

func (p *provider) GetMetadata(context.Context, *tfprotov5.GetMetadataRequest) (*tfprotov5.GetMetadataResponse, error) {
	return &tfprotov5.GetMetadataResponse{}, nil
}

func (p *provider) GetProviderSchema(context.Context, *tfprotov5.GetProviderSchemaRequest) (*tfprotov5.GetProviderSchemaResponse, error) {
	return p.served, nil
}

func (p *provider) GetResourceIdentitySchemas(context.Context, *tfprotov5.GetResourceIdentitySchemasRequest) (*tfprotov5.GetResourceIdentitySchemasResponse, error) {
	return &tfprotov5.GetResourceIdentitySchemasResponse{}, nil
}

func (p *provider) GetFunctions(context.Context, *tfprotov5.GetFunctionsRequest) (*tfprotov5.GetFunctionsResponse, error) {
	return &tfprotov5.GetFunctionsResponse{}, nil
}

func (p *provider) PrepareProviderConfig(_ context.Context, asked *tfprotov5.PrepareProviderConfigRequest) (*tfprotov5.PrepareProviderConfigResponse, error) {
	return &tfprotov5.PrepareProviderConfigResponse{PreparedConfig: asked.Config}, nil
}

func (p *provider) ValidateResourceTypeConfig(context.Context, *tfprotov5.ValidateResourceTypeConfigRequest) (*tfprotov5.ValidateResourceTypeConfigResponse, error) {
	return &tfprotov5.ValidateResourceTypeConfigResponse{}, nil
}

func (p *provider) ValidateDataSourceConfig(context.Context, *tfprotov5.ValidateDataSourceConfigRequest) (*tfprotov5.ValidateDataSourceConfigResponse, error) {
	return &tfprotov5.ValidateDataSourceConfigResponse{}, nil
}

func (p *provider) StopProvider(context.Context, *tfprotov5.StopProviderRequest) (*tfprotov5.StopProviderResponse, error) {
	return &tfprotov5.StopProviderResponse{}, nil
}
