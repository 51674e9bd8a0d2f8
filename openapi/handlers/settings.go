package handlers

import (
	"context"

	"github.com/oapi-codegen/nullable"

	"github.com/stoacommerce/stoa/commerce/rates"
	"github.com/stoacommerce/stoa/commerce/settings"
	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/openapi/gen"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// Settings answers the operations on shipping methods, tax rates and who may come into the shop.
type Settings struct {
	DB   *postgres.DB
	Door Door
}

// Operations are the handlers by operationId.
func (h *Settings) Operations() map[string]openapi.Handler {
	return map[string]openapi.Handler{
		"listShippingMethods":         h.methods,
		"createShippingMethod":        h.createMethod,
		"getShippingMethod":           h.method,
		"updateShippingMethod":        h.updateMethod,
		"deleteShippingMethod":        h.deleteMethod,
		"listShippingZones":           h.zones,
		"createShippingZone":          h.createZone,
		"getShippingZone":             h.zone,
		"updateShippingZone":          h.updateZone,
		"deleteShippingZone":          h.deleteZone,
		"listTaxRates":                h.taxRates,
		"createTaxRate":               h.createTaxRate,
		"getTaxRate":                  h.taxRate,
		"updateTaxRate":               h.updateTaxRate,
		"deleteTaxRate":               h.deleteTaxRate,
		"getAbandonedCartSettings":    h.abandoned,
		"updateAbandonedCartSettings": h.setAbandoned,
		"getShopAccess":               h.access,
		"updateShopAccess":            h.setAccess,
	}
}

func (h *Settings) methods(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	after, err := req.After()
	if err != nil {
		return nil, err
	}
	page, err := settings.ShippingMethods(ctx, h.DB, after, req.Limit(adminPage))
	if err != nil {
		return nil, err
	}
	return openapi.RawList(req, page), nil
}

func methodID(req *openapi.Request) settings.ShippingMethodID {
	return settings.ShippingMethodID(req.Param("shipping_method_id"))
}

func (h *Settings) method(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	return answerMethod(ctx, h.DB, methodID(req))
}

// answerMethod shows a shipping method as it is now.
func answerMethod(ctx context.Context, from postgres.Source, id settings.ShippingMethodID) (*openapi.Response, error) {
	method, err := settings.ShippingMethod(ctx, from, id)
	if err != nil {
		return nil, err
	}
	return openapi.OK(method.Data).Tagged(method.Version), nil
}

func (h *Settings) createMethod(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.ShippingMethodCreate](req)
	if err != nil {
		return nil, err
	}
	in := settings.ShippingInput{
		Zone: settings.ShippingZoneID(given(body.ZoneID)), Name: body.Name, Description: given(body.Description), TieredBy: string(given(body.TieredBy)),
		Prices: shippingPrices(body.Prices), Active: body.Active == nil || *body.Active, Position: body.Position,
	}
	if body.Carrier != nil {
		in.Carrier = givenCarrier(*body.Carrier)
	}
	if body.PickupAddress != nil {
		in.Pickup = givenAddress(*body.PickupAddress)
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		id, err := settings.CreateShippingMethod(ctx, tx, in)
		if err != nil {
			return nil, err
		}
		method, err := settings.ShippingMethod(ctx, tx, id)
		if err != nil {
			return nil, err
		}
		return openapi.Created("/v1/shipping-methods/"+string(id), method.Data).Tagged(method.Version), nil
	})
}

func shippingPrices(list []gen.ShippingPrice) []settings.ShippingPrice {
	if list == nil {
		return nil
	}
	return converted(list, func(p gen.ShippingPrice) settings.ShippingPrice {
		return settings.ShippingPrice{Currency: p.Currency, Amount: p.Amount, FreeFrom: p.FreeFrom, Tiers: converted(p.Tiers, func(t gen.ShippingTier) settings.ShippingTier {
			return settings.ShippingTier{From: t.From, Amount: t.Amount}
		})}
	})
}

func givenCarrier(g gen.CarrierRateRef) *settings.CarrierRate {
	return &settings.CarrierRate{Service: rates.ServiceID(g.ServiceID), Code: g.Rate}
}

// patchedCarrier is what a merge patch says of a carrier: nil leaves it, one of nil removes it.
func patchedCarrier(n nullable.Nullable[gen.CarrierRateRef]) **settings.CarrierRate {
	if !n.IsSpecified() {
		return nil
	}
	var c *settings.CarrierRate
	if !n.IsNull() {
		c = givenCarrier(n.MustGet())
	}
	return &c
}

func (h *Settings) updateMethod(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.ShippingMethodUpdate](req)
	if err != nil {
		return nil, err
	}
	version, err := req.IfMatch()
	if err != nil {
		return nil, err
	}
	patch := settings.ShippingPatch{
		Zone: emptiedAs[settings.ShippingZoneID](body.ZoneID), Name: body.Name, Description: emptied(body.Description), TieredBy: emptiedAs[string](body.TieredBy),
		Prices: shippingPrices(body.Prices), Carrier: patchedCarrier(body.Carrier), Pickup: patchedAddress(body.PickupAddress), Active: body.Active, Position: body.Position,
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		if err := settings.UpdateShippingMethod(ctx, tx, methodID(req), version, patch); err != nil {
			return nil, err
		}
		return answerMethod(ctx, tx, methodID(req))
	})
}

func (h *Settings) deleteMethod(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	version, err := req.IfMatch()
	if err != nil {
		return nil, err
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		if err := settings.DeleteShippingMethod(ctx, tx, methodID(req), version); err != nil {
			return nil, err
		}
		return openapi.NoContent(), nil
	})
}
func (h *Settings) abandoned(ctx context.Context, _ *openapi.Request) (*openapi.Response, error) {
	set, err := settings.Abandoned(ctx, h.DB)
	if err != nil {
		return nil, err
	}
	return openapi.OK(set.Data), nil
}

func (h *Settings) setAbandoned(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.AbandonedCartSettingsUpdate](req)
	if err != nil {
		return nil, err
	}
	patch := settings.AbandonedCartsPatch{Minutes: body.DelayMinutes, Mail: as[string](body.Mail)}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		if err := settings.SetAbandoned(ctx, tx, patch); err != nil {
			return nil, err
		}
		set, err := settings.Abandoned(ctx, tx)
		if err != nil {
			return nil, err
		}
		return openapi.OK(set.Data), nil
	})
}
