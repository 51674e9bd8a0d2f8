package handlers

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/stoacommerce/stoa/commerce/cart"
	"github.com/stoacommerce/stoa/commerce/credit"
	"github.com/stoacommerce/stoa/commerce/drafts"
	"github.com/stoacommerce/stoa/commerce/inventory"
	"github.com/stoacommerce/stoa/commerce/privacy"
	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/openapi/gen"
	"github.com/stoacommerce/stoa/platform/mail"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/tenants/audit"
)

// mostChanges bounds how many changes are taken back to tell what a thing was like.
const mostChanges = 10_000

// asOf tells what a thing was like at an instant, from what it is like now by taking back
// what the audit tells of since.
func (h *Audit) asOf(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	id, locale := req.Param("record_id"), req.Query.Get("locale")
	at, err := time.Parse(time.RFC3339Nano, req.Query.Get("at"))
	if err != nil {
		return nil, problem.New(problem.Invalid, "invalid_request", "There is no such time.").At("?at", "format", "There is no such time.")
	}
	if strings.HasPrefix(id, "ord_") {
		return h.orderAsOf(ctx, req, id, at)
	}
	r, known := kept(id, locale, req.Query.Get("kind"))
	if !known {
		return nil, problem.Missing("record")
	}
	if err := req.Allow(r.get); err != nil {
		return nil, err
	}
	object := id
	if id == r.kind {
		object = req.Caller.Store.ID
	}
	entries, err := h.Log.Since(ctx, object, at, mostChanges)
	if err != nil {
		return nil, err
	}
	if len(entries) == mostChanges {
		return nil, problem.New(problem.Unprocessable, "too_many_changes", "It has changed more than %d times since.", mostChanges)
	}
	entries = slices.DeleteFunc(entries, func(e audit.Entry) bool { return !r.tells(e, locale) })
	place := state{"locale": locale}
	if r.within && locale == "" {
		if place, err = h.place(ctx, id); err != nil {
			return nil, err
		}
	}
	now, err := h.now(ctx, req, r, id, place)
	gone := problem.Is(err, "not_found")
	if gone { // what somebody has changed of their account since they left is not told
		for len(entries) > 0 && ofAccount(entries[0]) {
			entries = entries[1:]
		}
	}
	if err != nil && !(gone && len(entries) > 0) {
		return nil, err
	}
	then := past{record: r, at: at, told: r.told(req), gone: gone, unknown: []string{}}
	then.take(now)
	for _, e := range entries {
		if e.Action == "customer.erase" {
			return nil, problem.Missing("record") // of who was erased nothing comes back
		}
		if err := then.back(e); err != nil {
			return nil, err
		}
	}
	if then.ledger, then.booked, err = h.booked(ctx, r, id, at); err != nil {
		return nil, err
	}
	return then.answer(id, at, len(entries))
}

// now is what a thing is like now.
func (h *Audit) now(ctx context.Context, req *openapi.Request, r record, id string, place state) (now state, err error) {
	if r.kind != "draft_order" {
		now, _, err = r.read(ctx, req, id, place)
		return now, err
	}
	// Reading one shows what it comes to, and not all that was agreed.
	var c *cart.Cart
	err = h.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		c, err = h.Carts.ReadIn(ctx, tx, cart.Ref{ID: id, Merchant: true})
		return err
	})
	if err != nil {
		return nil, err
	}
	raw, err := json.Marshal(drafts.Tell(c))
	if err != nil {
		return nil, err
	}
	return readState(raw)
}

// booked is the property of a thing that a ledger tells, and what it was; empty for none.
func (h *Audit) booked(ctx context.Context, r record, id string, at time.Time) (property string, value any, err error) {
	switch r.kind {
	case "inventory_item":
		value, err = inventory.LevelsAsOf(ctx, h.DB, inventory.VariantID(id), at)
		return "levels", value, err
	case "gift_card":
		value, err = credit.BalanceAsOf(ctx, h.DB, id, at)
		return "balance", value, err
	case "store_credit":
		value, err = credit.StoreCreditAsOf(ctx, h.DB, id, at)
		return "balances", value, err
	}
	return "", nil, nil
}

// told are the properties that are told of a thing as it was: those of its update, and more.
func (r record) told(req *openapi.Request) *openapi3.Schema {
	told := openapi3.Schema{Properties: openapi3.Schemas{}}
	if r.update != "" {
		maps.Copy(told.Properties, updateOf(req.Contract(r.update)).Properties)
	}
	for _, name := range r.except {
		delete(told.Properties, name)
	}
	for _, name := range r.more {
		told.Properties[name] = openapi3.NewStringSchema().NewRef()
	}
	return &told
}

// place is what the latest entry of a thing tells of where it is found.
func (h *Audit) place(ctx context.Context, id string) (state, error) {
	latest, err := h.Log.List(ctx, audit.Filter{ObjectID: id, Limit: 1})
	if err != nil || len(latest) == 0 {
		return nil, err
	}
	return readState(either(latest[0].After, latest[0].Before))
}

// tells says whether an entry tells of the record, and not of another with the same ID.
func (r record) tells(e audit.Entry, locale string) bool {
	of, verb, known := recordOf(e.Action)
	ofVariant := r.kind == "inventory_item" && of.kind == "variant" && verb != "update" // whose stock goes with it
	if r.kind == "staff" && ofAccount(e) {
		return true
	}
	if !known || of.kind != r.kind && !ofVariant || len(e.Before)+len(e.After) == 0 {
		return false
	}
	if locale == "" {
		return true
	}
	s, err := readState(either(e.After, e.Before))
	return err == nil && s["locale"] == locale
}

// ofAccount says whether an entry is an account's own, of what it is called and written to by.
func ofAccount(e audit.Entry) bool { return strings.HasPrefix(e.Action, "account.") }

// either is the first of two states, or the second where there is none.
func either(a, b json.RawMessage) json.RawMessage {
	if whole(a) {
		return a
	}
	return b
}

func later(instant string, at time.Time) bool {
	read, err := time.Parse(time.RFC3339Nano, instant)
	return err == nil && read.After(at)
}

// past is a thing on its way back to what it was like.
type past struct {
	record  record
	at      time.Time // which it is on its way to
	told    *openapi3.Schema
	state   state
	gone    bool
	unknown []string
	ledger  string // the property that a ledger tells, and its value
	booked  any
}

// take has the thing be as a state says.
func (p *past) take(s state) {
	p.state = state{}
	for name := range p.told.Properties {
		p.state[name] = s[name]
	}
	for _, name := range []string{"created_at", "joined_at"} {
		if born, ok := s[name].(string); ok && later(born, p.at) {
			p.gone = true
		}
	}
}

// back takes back what an entry tells of.
func (p *past) back(e audit.Entry) error {
	before, err := readState(e.Before)
	if err != nil {
		return err
	}
	after, err := readState(e.After)
	if err != nil {
		return err
	}
	of, verb, _ := recordOf(e.Action)
	switch {
	case verb == "create", verb == "restore", strings.HasSuffix(e.Action, ".create"): // by whomever
		p.gone = true
	case verb == "delete":
		p.gone, p.unknown = false, []string{}
		p.take(before)
		if !whole(e.Before) || p.record.kind == "customer" || of.kind != p.record.kind { // what was deleted of a person is not kept
			p.unknown = slices.Sorted(maps.Keys(p.told.Properties))
		}
	case !whole(e.Before) || !whole(e.After):
		p.unknown = slices.Sorted(maps.Keys(p.told.Properties))
	default:
		for _, property := range differing(p.told, before, after) {
			property.set(p.state, property.in(before))
		}
	}
	return nil
}

// answer is the record as it was found.
func (p *past) answer(id string, at time.Time, changes int) (*openapi.Response, error) {
	shown := gen.AuditRecord{ResourceKind: p.record.kind, At: at.UTC(), Existed: !p.gone, Record: json.RawMessage("null"), Unknown: []string{}, Changes: changes}
	if id != p.record.kind {
		shown.ResourceID = &id
	}
	if p.gone {
		return openapi.OK(shown), nil
	}
	delete(p.state, "position") // others move it too, of which its entries do not tell
	for _, name := range p.unknown {
		delete(p.state, name)
	}
	shown.Unknown = slices.DeleteFunc(p.unknown, func(name string) bool { return name == "position" })
	if p.ledger != "" {
		p.state[p.ledger] = p.booked
	}
	var err error
	shown.Record, err = json.Marshal(p.state)
	return openapi.OK(shown), err
}

// kept is the record that an ID is of, or a name of settings that have none. Of two kinds
// whose things have the same IDs, the one that is a part of the other is named by its kind.
func kept(id, locale, kind string) (record, bool) {
	prefix, _, _ := strings.Cut(id, "_")
	at := slices.IndexFunc(records, func(r record) bool {
		if locale != "" {
			return r.kind == "mail_template" && mail.Kind(id).SentByStores() || r.kind == "translation" && !mail.Kind(id).SentByStores()
		}
		return r.prefix == "" && r.kind == id && r.kind != "translation" && r.kind != "mail_template" && r.kind != "menu" || r.prefix != "" && r.prefix == prefix && (kind == "" && !r.part || r.part && r.kind == kind)
	})
	if at < 0 {
		return record{}, false
	}
	return records[at], true
}

// orderAsOf tells what an order was like at an instant: the audit keeps it whole, as it was
// before each of its steps. A payment that had only been begun is told as it came out.
func (h *Audit) orderAsOf(ctx context.Context, req *openapi.Request, id string, at time.Time) (*openapi.Response, error) {
	if err := req.Allow("getOrder"); err != nil {
		return nil, err
	}
	was, err := h.Orders.AsOf(ctx, id, at, privacy.Erased)
	if err != nil {
		return nil, err
	}
	shown := gen.AuditRecord{ResourceKind: "order", ResourceID: &id, At: at.UTC(), Existed: was.Shown != nil, Record: json.RawMessage("null"), Unknown: []string{}, Changes: was.Changes}
	if !shown.Existed {
		return openapi.OK(shown), nil
	}
	order, err := readState(was.Shown)
	if err != nil {
		return nil, err
	}
	if !was.Known {
		shown.Unknown, shown.Record = slices.Sorted(maps.Keys(order)), json.RawMessage("{}")
		return openapi.OK(shown), nil
	}
	for _, name := range []string{"payments", "refunds", "returns", "fulfilments", "edits"} {
		list, _ := order[name].([]any)
		order[name] = slices.DeleteFunc(list, func(each any) bool {
			part, _ := each.(map[string]any)
			born, _ := part["created_at"].(string)
			return later(born, at)
		})
	}
	lines, _ := order["lines"].([]any)
	for _, each := range lines {
		if line, ok := each.(map[string]any); ok {
			delete(line, "image_url") // which is today's
		}
	}
	shown.Record, err = json.Marshal(order)
	return openapi.OK(shown), err
}
