package orders

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/stoacommerce/stoa/commerce/address"
	"github.com/stoacommerce/stoa/commerce/fields"
	"github.com/stoacommerce/stoa/commerce/territory"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// maxTags bounds an order's labels.
const maxTags = 250

// Patch changes an order after it was placed; what is nil stays.
type Patch struct {
	Tags     []string // the merchant's own labels, in place of those it has
	Email    *string
	Shipping *address.Address
	Billing  **address.Address // to nil removes it

	CustomFields fields.Values // merged
}

// written is what of an order a patch may change, and whether it may.
type written struct {
	Tags       []string         `json:"tags"`
	Email      string           `json:"email"`
	Shipping   *address.Address `json:"shipping_address"`
	Billing    *address.Address `json:"billing_address"`
	State      string           `json:"state"`
	Fulfilment string           `json:"fulfilment_state"`
	Fetched    bool             `json:"fetched"`

	CustomFields fields.Values `json:"custom_fields"`
}

const writtenSQL = `select json_build_object('tags', o.tags, 'custom_fields', o.custom_fields, 'email', o.email, 'shipping_address', o.shipping_address, 'billing_address', o.billing_address,
	'state', o.state, 'fulfilment_state', o.fulfilment_state, 'fetched', jsonb_typeof(o.shipping_method->'pickup_address') = 'object')::text
from orders o where o.id = $1`

const updateSQL = `update orders o set tags = $2, email = $3, shipping_address = $4::jsonb, billing_address = $5::jsonb, custom_fields = $6, version = o.version + 1, updated_at = now()
where o.id = $1 returning ` + SummaryColumns

// Update changes an order that has the version meant; zero is any. Where it goes can be changed
// until something was sent, and to where the same taxes hold: the order's sums stay.
func (s *Service) Update(ctx context.Context, tx *postgres.Tx, id string, meant int, patch Patch) error {
	book, err := fields.Open(ctx, tx, fields.Orders, patch.CustomFields)
	if err != nil {
		return err
	}
	if err := own(ctx, tx, id, meant); err != nil {
		return err
	}
	raw, err := text(ctx, tx, "order "+id, writtenSQL, id)
	if err != nil {
		return err
	}
	shown, err := s.GetIn(ctx, tx, "", id)
	if err != nil {
		return err
	}
	remember(tx, id, shown.Data)
	var was written
	if err := json.Unmarshal(raw, &was); err != nil {
		return fmt.Errorf("read order %s: %w", id, err)
	}
	wrong := problem.New(problem.Unprocessable, "details_invalid", "The order cannot be like this.")
	kept := was.CustomFields
	if err := book.Write(ctx, tx, &kept, patch.CustomFields, wrong); err != nil {
		return err
	}
	now, changed, err := was.patched(patch, wrong)
	if err != nil {
		return err
	}
	now.CustomFields = kept
	if err := taxedAlike(ctx, tx, was, now); err != nil {
		return err
	}
	shipping, billing, err := columns(now)
	if err != nil {
		return fmt.Errorf("change order %s: %w", id, err)
	}
	var o Summary
	if err := tx.QueryRow(ctx, updateSQL, id, now.Tags, now.Email, shipping, billing, now.CustomFields).Scan(o.Fields()...); err != nil {
		return fmt.Errorf("change order %s: %w", id, err)
	}
	journal.Event(ctx, tx, "order.updated", id, o)
	journal.Audit(ctx, tx, journal.Entry{Action: "order.update", ObjectID: id, Before: former(tx, id), After: map[string]any{"order": now, "changed": changed}})
	return nil
}

// columns are the addresses as they are kept.
func columns(w written) (shipping, billing *string, err error) {
	for to, a := range map[**string]*address.Address{&shipping: w.Shipping, &billing: w.Billing} {
		if a == nil {
			continue
		}
		raw, err := json.Marshal(a)
		if err != nil {
			return nil, nil, err
		}
		kept := string(raw)
		*to = &kept
	}
	return shipping, billing, nil
}

// patched is what is written once it is changed but for custom fields, and the names of what
// changed. What is wrong may have faults already.
func (w written) patched(patch Patch, wrong *problem.Problem) (now written, changed []string, err error) {
	now, changed = w, []string{}
	if len(patch.CustomFields) > 0 {
		changed = append(changed, "custom_fields")
	}
	if patch.Tags != nil {
		now.Tags, changed = tidied(patch.Tags, wrong), append(changed, "tags")
	}
	if patch.Email != nil {
		now.Email, changed = address.Email(*patch.Email), append(changed, "email")
		if !address.ValidEmail(now.Email) {
			wrong.At("/email", "email", "This is not an e-mail address.")
		}
	}
	if patch.Shipping != nil {
		trimmed := patch.Shipping.Trim()
		trimmed.Check(wrong, "/shipping_address")
		if w.Shipping == nil {
			wrong.At("/shipping_address", "excluded", "Nothing of the order is sent to an address.")
		}
		now.Shipping, changed = &trimmed, append(changed, "shipping_address")
	}
	if patch.Billing != nil {
		if now.Billing, changed = nil, append(changed, "billing_address"); *patch.Billing != nil {
			trimmed := (*patch.Billing).Trim()
			trimmed.Check(wrong, "/billing_address")
			now.Billing = &trimmed
		}
	}
	if err := wrong.OrNil(); err != nil {
		return now, nil, err
	}
	switch addressed := patch.Shipping != nil || patch.Billing != nil; {
	case addressed && w.State == Cancelled:
		return now, nil, problem.New(problem.Conflict, "order_cancelled", "The order is cancelled.")
	case patch.Shipping != nil && w.Fulfilment != Unfulfilled:
		return now, nil, problem.New(problem.Conflict, "order_fulfilled", "Part or all of the order was sent.")
	}
	return now, changed, nil
}

// tidied are labels, each once and without white space around it.
func tidied(tags []string, wrong *problem.Problem) []string {
	tidy, seen := []string{}, map[string]bool{}
	for i, tag := range tags {
		tag = strings.TrimSpace(tag)
		if tag == "" || utf8.RuneCountInString(tag) > 255 {
			wrong.At(fmt.Sprintf("/tags/%d", i), "length", "A label has 1 to 255 characters.")
		}
		if !seen[tag] {
			seen[tag], tidy = true, append(tidy, tag)
		}
	}
	if len(tidy) > maxTags {
		wrong.At("/tags", "maxItems", "There may be %d.", maxTags)
	}
	return tidy
}

// place is the address that the order is taxed at, and payer the one whose tax number counts.
func (w written) place() *address.Address {
	if w.Shipping == nil && !w.Fetched {
		return w.Billing
	}
	return w.Shipping
}

func (w written) payer() string {
	for _, a := range []*address.Address{w.Billing, w.Shipping} {
		if a != nil {
			return a.TaxID
		}
	}
	return ""
}

// sameRatesSQL says whether the same rates of tax hold at two addresses of one country.
var sameRatesSQL = `
select array(select t.id from tax_rates t where ` + territory.Covers("t.country", "t.region", "t.postal_codes", "was") + ` order by t.id)
	= array(select t.id from tax_rates t where ` + territory.Covers("t.country", "t.region", "t.postal_codes", "now") + ` order by t.id)
from (select a->>'country' as country, ` + territory.Place("a") + ` from (select $1::jsonb as a) x) was
cross join (select a->>'country' as country, ` + territory.Place("a") + ` from (select $2::jsonb as a) x) now`

// taxedAlike refuses addresses by which the order would be taxed otherwise than it was.
func taxedAlike(ctx context.Context, tx *postgres.Tx, was, now written) error {
	wrong := problem.New(problem.Unprocessable, "taxed_otherwise", "The order would be taxed otherwise there.")
	if was.payer() != now.payer() {
		wrong.At("/billing_address/tax_id", "taxed_otherwise", "The tax number stays as it was.")
	}
	a, b := was.place(), now.place()
	if a == nil && b == nil || a != nil && b != nil && *a == *b {
		return wrong.OrNil()
	}
	alike := a != nil && b != nil && a.Country == b.Country && a.Region == b.Region
	if alike {
		before, after, err := columns(written{Shipping: a, Billing: b})
		if err == nil {
			err = tx.QueryRow(ctx, sameRatesSQL, before, after).Scan(&alike)
		}
		if err != nil {
			return fmt.Errorf("compare taxes: %w", err)
		}
	}
	if !alike {
		at := "/shipping_address"
		if was.Shipping == nil {
			at = "/billing_address"
		}
		wrong.At(at, "taxed_otherwise", "Other taxes hold there. Cancel the order, and have it placed anew.")
	}
	return wrong.OrNil()
}
