package documents

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

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
	err := s.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) (err error) {
		c, err = slip(ctx, tx, orderID, fulfilmentID)
		return err
	})
	if err != nil {
		return File{}, err
	}
	return s.printed(fileName(c.OrderNumber), c)
}

// PackingSlips are those of several orders, one after the other: of each what is still to be
// sent or, where nothing is, what was sent last.
func (s *Service) PackingSlips(ctx context.Context, orderIDs []string) (File, error) {
	var several []Content
	err := s.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		for _, id := range orderIDs {
			c, err := slip(ctx, tx, id, "")
			if err == nil && len(c.Lines) == 0 {
				var last *string
				if err = tx.QueryRow(ctx, `select max(id) from fulfilments where order_id = $1`, id).Scan(&last); err == nil && last != nil {
					c, err = slip(ctx, tx, id, *last)
				}
			}
			if err != nil {
				return fmt.Errorf("order %s: %w", id, err)
			}
			several = append(several, c)
		}
		return nil
	})
	if err != nil {
		return File{}, err
	}
	return s.printed("packing-slips.pdf", several...)
}

// printed prints what has lines.
func (s *Service) printed(name string, slips ...Content) (File, error) {
	slips = slices.DeleteFunc(slips, func(c Content) bool { return len(c.Lines) == 0 })
	if len(slips) == 0 {
		return File{}, problem.New(problem.Conflict, "nothing_left", "Nothing is left to be sent.")
	}
	data, err := layOut(s.Fonts, slips...)
	if err != nil {
		return File{}, fmt.Errorf("print %s: %w", name, err)
	}
	return File{Name: name, Data: data}, nil
}

func slip(ctx context.Context, tx *postgres.Tx, orderID, fulfilmentID string) (Content, error) {
	o, err := read(ctx, tx, orderID)
	if err != nil {
		return Content{}, err
	}
	quantities := map[string]int64{}
	for _, l := range o.Lines {
		if l.Ships {
			quantities[l.ID] = l.Unsent
		}
	}
	c := o.content(PackingSlip)
	c.IssuedAt, c.Method, c.Note = clock.Now().UTC(), o.Method.Name, o.Note
	if fulfilmentID != "" {
		if quantities, c.Tracking, err = fulfilment(ctx, tx, orderID, fulfilmentID); err != nil {
			return Content{}, err
		}
	}
	for _, l := range o.Lines {
		if n := quantities[l.ID]; n > 0 {
			c.Lines = append(c.Lines, Line{Title: l.Title, Variant: l.Variant, SKU: l.SKU, Quantity: n})
		}
	}
	return c, nil
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
