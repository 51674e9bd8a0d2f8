package handlers

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/stoacommerce/stoa/commerce/inventory"
	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/openapi/gen"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// Inventory answers the operations on stock.
type Inventory struct {
	DB *postgres.DB
}

// Operations are the handlers by operationId.
func (h *Inventory) Operations() map[string]openapi.Handler {
	return map[string]openapi.Handler{
		"listInventory":          h.list,
		"adjustInventory":        h.adjust,
		"listInventoryMovements": h.movements,
	}
}

func (h *Inventory) list(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	after, err := req.After()
	if err != nil {
		return nil, err
	}
	q := req.Query
	filter := inventory.LevelFilter{
		ProductID: q.Get("product_id"), VariantID: q.Get("variant_id"), SKU: q.Get("sku"), After: after, Limit: req.Limit(adminPage),
	}
	if below, err := strconv.ParseInt(q.Get("available_below"), 10, 64); err == nil {
		filter.Below = &below
	}
	page, err := inventory.Levels(ctx, h.DB, filter)
	if err != nil {
		return nil, err
	}
	return openapi.RawList(req, page), nil
}

func (h *Inventory) movements(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	after, err := req.After()
	if err != nil {
		return nil, err
	}
	page, err := inventory.Movements(ctx, h.DB, inventory.MovementFilter{
		VariantID: req.Query.Get("variant_id"), OrderID: req.Query.Get("order_id"), After: after, Limit: req.Limit(adminPage),
	})
	if err != nil {
		return nil, err
	}
	return openapi.RawList(req, page), nil
}

func (h *Inventory) adjust(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.InventoryAdjustment](req)
	if err != nil {
		return nil, err
	}
	adjustment := inventory.Adjustment{Reason: inventory.Reason(body.Reason), Note: given(body.Note)}
	for _, line := range body.Lines {
		adjustment.Lines = append(adjustment.Lines, inventory.Line{VariantID: inventory.VariantID(line.VariantID), Quantity: int64(line.Delta)})
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		if err := inventory.Adjust(ctx, tx, adjustment); err != nil {
			return nil, err
		}
		levels, err := inventory.LevelsOf(ctx, tx, adjustment.Lines)
		if err != nil {
			return nil, err
		}
		return &openapi.Response{Status: http.StatusCreated, Body: map[string]json.RawMessage{"levels": levels}}, nil
	})
}
