package handlers

import (
	"context"

	"github.com/stoacommerce/stoa/commerce/inventory"
	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/openapi/gen"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// Locations answers the operations on the places where goods lie.
type Locations struct {
	DB *postgres.DB
}

// Operations are the handlers by operationId.
func (h *Locations) Operations() map[string]openapi.Handler {
	return map[string]openapi.Handler{
		"listLocations":  h.list,
		"createLocation": h.create,
		"getLocation":    h.get,
		"updateLocation": h.update,
		"deleteLocation": h.remove,
	}
}

func (h *Locations) list(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	after, err := req.After()
	if err != nil {
		return nil, err
	}
	page, err := inventory.Locations(ctx, h.DB, after, req.Limit(adminPage))
	if err != nil {
		return nil, err
	}
	return openapi.RawList(req, page), nil
}

func locationID(req *openapi.Request) inventory.LocationID {
	return inventory.LocationID(req.Param("location_id"))
}

func (h *Locations) get(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	location, err := inventory.Location(ctx, h.DB, locationID(req))
	if err != nil {
		return nil, err
	}
	return openapi.OK(location.Data).Tagged(location.Version), nil
}

func (h *Locations) create(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.LocationCreate](req)
	if err != nil {
		return nil, err
	}
	in := inventory.LocationInput{Name: body.Name, Active: body.Active == nil || *body.Active, Priority: body.Priority}
	if body.Address != nil {
		in.Address = givenAddress(*body.Address)
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		id, err := inventory.CreateLocation(ctx, tx, in)
		if err != nil {
			return nil, err
		}
		location, err := inventory.Location(ctx, tx, id)
		if err != nil {
			return nil, err
		}
		return openapi.Created("/v1/locations/"+string(id), location.Data).Tagged(location.Version), nil
	})
}

func (h *Locations) update(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.LocationUpdate](req)
	if err != nil {
		return nil, err
	}
	version, err := req.IfMatch()
	if err != nil {
		return nil, err
	}
	patch := inventory.LocationPatch{Name: body.Name, Address: patchedAddress(body.Address), Active: body.Active, Priority: body.Priority}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		if err := inventory.UpdateLocation(ctx, tx, locationID(req), version, patch); err != nil {
			return nil, err
		}
		location, err := inventory.Location(ctx, tx, locationID(req))
		if err != nil {
			return nil, err
		}
		return openapi.OK(location.Data).Tagged(location.Version), nil
	})
}

func (h *Locations) remove(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	version, err := req.IfMatch()
	if err != nil {
		return nil, err
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		if err := inventory.DeleteLocation(ctx, tx, locationID(req), version); err != nil {
			return nil, err
		}
		return openapi.NoContent(), nil
	})
}
