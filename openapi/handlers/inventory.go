package handlers

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/oapi-codegen/nullable"
	"github.com/oapi-codegen/runtime/types"

	"github.com/stoacommerce/stoa/commerce/inventory"
	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/openapi/gen"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// Inventory answers the operations on stock.
type Inventory struct {
	DB *postgres.DB
}

// Operations are the handlers by operationId.
func (h *Inventory) Operations() map[string]openapi.Handler {
	return map[string]openapi.Handler{
		"listInventory":          h.list,
		"getInventoryItem":       h.item,
		"updateInventoryItem":    h.updateItem,
		"listInventoryLevels":    h.levels,
		"adjustInventory":        h.adjust,
		"transferInventory":      h.transfer,
		"listInventoryMovements": h.movements,
	}
}

func (h *Inventory) list(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	after, err := req.After()
	if err != nil {
		return nil, err
	}
	q := req.Query
	filter := inventory.ItemFilter{
		ProductID: q.Get("product_id"), VariantID: q.Get("variant_id"), SKU: q.Get("sku"), Low: q.Get("low") == "true",
		After: after, Limit: req.Limit(adminPage),
	}
	if below, err := strconv.ParseInt(q.Get("available_below"), 10, 64); err == nil {
		filter.Below = &below
	}
	page, err := inventory.Items(ctx, h.DB, filter)
	if err != nil {
		return nil, err
	}
	return openapi.RawList(req, page), nil
}

func (h *Inventory) item(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	item, err := inventory.Item(ctx, h.DB, inventory.VariantID(req.Param("variant_id")))
	if err != nil {
		return nil, err
	}
	return openapi.OK(item.Data), nil
}

func (h *Inventory) updateItem(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.InventoryItemUpdate](req)
	if err != nil {
		return nil, err
	}
	id := inventory.VariantID(req.Param("variant_id"))
	patch := inventory.ItemPatch{LowStock: orNull(body.LowStockThreshold), Limit: orNull(body.BackorderLimit)}
	if day := orNull(body.BackorderExpectedOn); day != nil {
		patch.ExpectedOn = &sql.Null[time.Time]{V: day.V.Time, Valid: day.Valid}
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		if err := inventory.UpdateItem(ctx, tx, id, patch); err != nil {
			return nil, err
		}
		item, err := inventory.Item(ctx, tx, id)
		if err != nil {
			return nil, err
		}
		return openapi.OK(item.Data), nil
	})
}

// orNull is what a merge patch says of a value: nil leaves it, what is not valid removes
// it.
func orNull[T int | types.Date](n nullable.Nullable[T]) *sql.Null[T] {
	if !n.IsSpecified() {
		return nil
	}
	if n.IsNull() {
		return &sql.Null[T]{}
	}
	return &sql.Null[T]{V: n.MustGet(), Valid: true}
}

func (h *Inventory) levels(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	after, err := req.After()
	if err != nil {
		return nil, err
	}
	q := req.Query
	page, err := inventory.Levels(ctx, h.DB, inventory.LevelFilter{
		ProductID: q.Get("product_id"), VariantID: q.Get("variant_id"), LocationID: q.Get("location_id"), After: after, Limit: req.Limit(adminPage),
	})
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
	q := req.Query
	page, err := inventory.Movements(ctx, h.DB, inventory.MovementFilter{
		VariantID: q.Get("variant_id"), LocationID: q.Get("location_id"), OrderID: q.Get("order_id"), TransferID: q.Get("transfer_id"), Type: q.Get("type"),
		After: after, Limit: req.Limit(adminPage),
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
	wrong := problem.New(problem.Unprocessable, "invalid_adjustment", "The stock cannot be changed like this.")
	for i, line := range body.Lines {
		to := inventory.Line{VariantID: inventory.VariantID(line.VariantID), LocationID: inventory.LocationID(given(line.LocationID)), Quantity: int64(given(line.Delta))}
		if (line.Delta == nil) == (line.OnHand == nil) {
			wrong.At(fmt.Sprintf("/lines/%d", i), "excluded", "A line has either delta or on_hand.")
		}
		if line.OnHand != nil {
			to.Quantity = int64(*line.OnHand)
		}
		adjustment.Lines = append(adjustment.Lines, inventory.AdjustmentLine{Line: to, Set: line.OnHand != nil})
	}
	if err := wrong.OrNil(); err != nil {
		return nil, err
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		lines, err := inventory.Adjust(ctx, tx, adjustment)
		if err != nil {
			return nil, err
		}
		levels, err := inventory.LevelsOf(ctx, tx, lines)
		if err != nil {
			return nil, err
		}
		return &openapi.Response{Status: http.StatusCreated, Body: map[string]json.RawMessage{"levels": levels}}, nil
	})
}

func (h *Inventory) transfer(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	body, err := openapi.Decode[gen.InventoryTransfer](req)
	if err != nil {
		return nil, err
	}
	t := inventory.Transfer{From: inventory.LocationID(body.FromLocationID), To: inventory.LocationID(body.ToLocationID), Note: given(body.Note)}
	var from, to []inventory.Line
	for _, line := range body.Lines {
		id := inventory.VariantID(line.VariantID)
		t.Lines = append(t.Lines, inventory.Line{VariantID: id, Quantity: int64(line.Quantity)})
		from, to = append(from, inventory.Line{VariantID: id, LocationID: t.From}), append(to, inventory.Line{VariantID: id, LocationID: t.To})
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		id, err := inventory.Move(ctx, tx, t)
		if err != nil {
			return nil, err
		}
		levels, err := inventory.LevelsOf(ctx, tx, append(from, to...))
		if err != nil {
			return nil, err
		}
		return &openapi.Response{Status: http.StatusCreated, Body: map[string]any{"id": id, "levels": json.RawMessage(levels)}}, nil
	})
}
