package documents

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

const fulfilmentSQL = `
select json_build_object('lines', f.lines, 'carrier', f.carrier, 'number', f.tracking_number)::text
from fulfilments f where f.id = $1 and f.order_id = $2`

// PackingSlip is what goes into a parcel: what a fulfilment is of or, without one, what is
// still to be sent.
func (s *Service) PackingSlip(ctx context.Context, orderID, fulfilmentID string) (File, error) {
	var c Content
	err := s.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		o, err := read(ctx, tx, orderID)
		if err != nil {
			return err
		}
		quantities := map[string]int64{}
		for _, l := range o.Lines {
			if l.Ships {
				quantities[l.ID] = l.Unsent
			}
		}
		c = o.content(PackingSlip)
		c.IssuedAt, c.Method, c.Note = clock.Now().UTC(), o.Method.Name, o.Note
		if fulfilmentID != "" {
			if quantities, c.Tracking, err = fulfilment(ctx, tx, orderID, fulfilmentID); err != nil {
				return err
			}
		}
		for _, l := range o.Lines {
			if n := quantities[l.ID]; n > 0 {
				c.Lines = append(c.Lines, Line{Title: l.Title, Variant: l.Variant, SKU: l.SKU, Quantity: n})
			}
		}
		return nil
	})
	if err != nil {
		return File{}, err
	}
	if len(c.Lines) == 0 {
		return File{}, problem.New(problem.Conflict, "nothing_left", "Nothing of the order is left to be sent.")
	}
	data, err := layOut(s.Fonts, c)
	if err != nil {
		return File{}, fmt.Errorf("packing slip of order %s: %w", orderID, err)
	}
	return File{Name: fileName(c.OrderNumber), Data: data}, nil
}

func fulfilment(ctx context.Context, tx *postgres.Tx, orderID, id string) (map[string]int64, *Tracking, error) {
	var raw []byte
	err := tx.QueryRow(ctx, fulfilmentSQL, id, orderID).Scan(&raw)
	if errors.Is(err, postgres.ErrNoRows) {
		return nil, nil, problem.Missing("fulfilment")
	}
	var f struct {
		Tracking
		Lines []struct {
			LineID   string `json:"line_id"`
			Quantity int64  `json:"quantity"`
		} `json:"lines"`
	}
	if err == nil {
		err = json.Unmarshal(raw, &f)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read fulfilment %s: %w", id, err)
	}
	quantities := map[string]int64{}
	for _, l := range f.Lines {
		quantities[l.LineID] += l.Quantity
	}
	if f.Tracking == (Tracking{}) {
		return quantities, nil, nil
	}
	return quantities, &f.Tracking, nil
}
