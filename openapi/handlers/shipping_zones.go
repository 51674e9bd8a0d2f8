package handlers

import (
	"context"

	"github.com/stoacommerce/stoa/commerce/settings"
	"github.com/stoacommerce/stoa/commerce/territory"
	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/openapi/gen"
	"github.com/stoacommerce/stoa/platform/postgres"
)

func (h *Settings) zones(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	after, err := req.After()
	if err != nil {
		return nil, err
	}
	page, err := settings.ShippingZones(ctx, h.DB, after, req.Limit(adminPage))
	if err != nil {
		return nil, err
	}
	return openapi.RawList(req, page), nil
}

func zoneID(req *openapi.Request) settings.ShippingZoneID {
	return settings.ShippingZoneID(req.Param("shipping_zone_id"))
}

func (h *Settings) zone(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	return answerZone(ctx, h.DB, zoneID(req))
}

// answerZone shows a shipping zone as it is now.
func answerZone(ctx context.Context, from postgres.Source, id settings.ShippingZoneID) (*openapi.Response, error) {
	zone, err := settings.ShippingZone(ctx, from, id)
	if err != nil {
		return nil, err
	}
	return openapi.OK(zone.Data).Tagged(zone.Version), nil
}

func territories(list []gen.Territory) []territory.Territory {
	if list == nil {
		return nil
	}
	return converted(list, func(t gen.Territory) territory.Territory {
		return territory.Territory{Country: t.Country, Region: given(t.Region), PostalCodes: t.PostalCodes}
	})
}

func (h *Settings) createZone(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.ShippingZoneCreate](req)
	if err != nil {
		return nil, err
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		id, err := settings.CreateShippingZone(ctx, tx, settings.ZoneInput{Name: body.Name, Territories: territories(body.Territories)})
		if err != nil {
			return nil, err
		}
		zone, err := settings.ShippingZone(ctx, tx, id)
		if err != nil {
			return nil, err
		}
		return openapi.Created("/v1/shipping-zones/"+string(id), zone.Data).Tagged(zone.Version), nil
	})
}

func (h *Settings) updateZone(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.ShippingZoneUpdate](req)
	if err != nil {
		return nil, err
	}
	version, err := req.IfMatch()
	if err != nil {
		return nil, err
	}
	patch := settings.ZonePatch{Name: body.Name, Territories: territories(body.Territories)}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		if err := settings.UpdateShippingZone(ctx, tx, zoneID(req), version, patch); err != nil {
			return nil, err
		}
		return answerZone(ctx, tx, zoneID(req))
	})
}

func (h *Settings) deleteZone(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	version, err := req.IfMatch()
	if err != nil {
		return nil, err
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		if err := settings.DeleteShippingZone(ctx, tx, zoneID(req), version); err != nil {
			return nil, err
		}
		return openapi.NoContent(), nil
	})
}
