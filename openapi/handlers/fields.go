package handlers

import (
	"context"

	"github.com/stoacommerce/stoa/commerce/fields"
	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/openapi/gen"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// Fields answers the operations on definitions of custom fields.
type Fields struct {
	DB *postgres.DB
}

// Operations are the handlers by operationId.
func (h *Fields) Operations() map[string]openapi.Handler {
	return map[string]openapi.Handler{
		"listFieldDefinitions":  h.list,
		"createFieldDefinition": h.create,
		"getFieldDefinition":    h.get,
		"updateFieldDefinition": h.update,
		"deleteFieldDefinition": h.delete,
	}
}

func (h *Fields) list(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	after, err := req.After()
	if err != nil {
		return nil, err
	}
	page, err := fields.Definitions(ctx, h.DB, req.Query.Get("resource"), after, req.Limit(adminPage))
	if err != nil {
		return nil, err
	}
	return openapi.RawList(req, page), nil
}

func fieldID(req *openapi.Request) fields.ID { return fields.ID(req.Param("field_definition_id")) }

func (h *Fields) get(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	return answerField(ctx, h.DB, fieldID(req))
}

// answerField shows a definition as it is now.
func answerField(ctx context.Context, from postgres.Source, id fields.ID) (*openapi.Response, error) {
	definition, err := fields.Read(ctx, from, id)
	if err != nil {
		return nil, err
	}
	return openapi.OK(definition.Data).Tagged(definition.Version), nil
}

func (h *Fields) create(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.FieldDefinitionCreate](req)
	if err != nil {
		return nil, err
	}
	definition := fields.Definition{
		Resource: fields.Resource(body.Resource), Key: body.Key, Name: body.Name, Description: given(body.Description), Type: fields.Type(body.Type),
		List: given(body.List), Validations: validations(given(body.Validations)), Shown: given(body.ShownInShop), Filterable: given(body.Filterable),
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		id, err := fields.Create(ctx, tx, definition)
		if err != nil {
			return nil, err
		}
		made, err := fields.Read(ctx, tx, id)
		if err != nil {
			return nil, err
		}
		return openapi.Created("/v1/field-definitions/"+string(id), made.Data).Tagged(made.Version), nil
	})
}

func validations(v gen.FieldValidations) fields.Validations {
	return fields.Validations{Min: v.Min, Max: v.Max, MinLength: v.MinLength, MaxLength: v.MaxLength, Pattern: given(v.Pattern), Choices: v.Choices}
}

func (h *Fields) update(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.FieldDefinitionUpdate](req)
	if err != nil {
		return nil, err
	}
	version, err := req.IfMatch()
	if err != nil {
		return nil, err
	}
	patch := fields.Patch{Name: body.Name, Description: emptied(body.Description), Shown: body.ShownInShop, Filterable: body.Filterable}
	if body.Validations != nil {
		asked := validations(*body.Validations)
		patch.Validations = &asked
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		if err := fields.Update(ctx, tx, fieldID(req), version, patch); err != nil {
			return nil, err
		}
		return answerField(ctx, tx, fieldID(req))
	})
}

func (h *Fields) delete(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	version, err := req.IfMatch()
	if err != nil {
		return nil, err
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		if err := fields.Delete(ctx, tx, fieldID(req), version); err != nil {
			return nil, err
		}
		return openapi.NoContent(), nil
	})
}
