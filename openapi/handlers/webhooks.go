package handlers

import (
	"context"
	"time"

	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/openapi/gen"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/webhooks"
)

// Webhooks answers for endpoints, deliveries and events.
type Webhooks struct {
	DB       *postgres.DB
	Webhooks *webhooks.Service
}

// Operations are the handlers by operationId.
func (h *Webhooks) Operations() map[string]openapi.Handler {
	return map[string]openapi.Handler{
		"listWebhookEndpoints":  h.list,
		"createWebhookEndpoint": h.create,
		"getWebhookEndpoint":    h.get,
		"updateWebhookEndpoint": h.update,
		"deleteWebhookEndpoint": h.delete,
		"rotateWebhookSecret":   h.rotate,
		"sendTestEvent":         h.test,
		"recoverEvents":         h.recover,
		"listDeliveries":        h.deliveries,
		"resendDelivery":        h.resend,
		"listEvents":            h.events,
		"getEvent":              h.event,
	}
}

func (h *Webhooks) list(ctx context.Context, req *openapi.Request) (res *openapi.Response, err error) {
	after, err := req.After()
	if err != nil {
		return nil, err
	}
	err = h.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		list, err := h.Webhooks.List(ctx, tx, after, req.Limit(50)+1)
		if err != nil {
			return err
		}
		list, next := page(list, req.Limit(50), func(e webhooks.Endpoint) string { return e.ID })
		res, err = openapi.List(req, converted(list, endpoint), next)
		return err
	})
	return res, err
}

func (h *Webhooks) create(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	in, err := openapi.Decode[gen.WebhookEndpointCreate](req)
	if err != nil {
		return nil, err
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		e, secret, err := h.Webhooks.Create(ctx, tx, webhooks.Input{URL: &in.URL, Description: in.Description, Events: in.EventTypes})
		if err != nil {
			return nil, err
		}
		res := openapi.Created("/v1/webhook-endpoints/"+e.ID, gen.WebhookEndpointCreated{Endpoint: endpoint(e), Secret: &secret}).At(e.Version)
		res.Redacted = gen.WebhookEndpointCreated{Endpoint: endpoint(e)}
		return res, nil
	})
}

func (h *Webhooks) get(ctx context.Context, req *openapi.Request) (res *openapi.Response, err error) {
	err = h.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		e, err := h.Webhooks.Get(ctx, tx, req.Param("endpoint_id"))
		res = openapi.OK(endpoint(e)).At(e.Version)
		return err
	})
	return res, err
}

func (h *Webhooks) update(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	in, err := openapi.Decode[gen.WebhookEndpointUpdate](req)
	if err != nil {
		return nil, err
	}
	version, err := req.IfMatch()
	if err != nil {
		return nil, err
	}
	change := webhooks.Input{URL: in.URL, Description: emptied(in.Description), Events: in.EventTypes}
	if in.State != nil {
		enabled := string(*in.State) == "enabled"
		change.Enabled = &enabled
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		e, err := h.Webhooks.Update(ctx, tx, req.Param("endpoint_id"), version, change)
		return openapi.OK(endpoint(e)).At(e.Version), err
	})
}

func (h *Webhooks) delete(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	version, err := req.IfMatch()
	if err != nil {
		return nil, err
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		return openapi.NoContent(), h.Webhooks.Delete(ctx, tx, req.Param("endpoint_id"), version)
	})
}

func (h *Webhooks) rotate(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	in, err := openapi.Decode[gen.WebhookSecretRotate](req)
	if err != nil {
		return nil, err
	}
	overlap := 24 * time.Hour
	if in.OverlapSeconds != nil {
		overlap = time.Duration(*in.OverlapSeconds) * time.Second
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		secret, until, err := h.Webhooks.Rotate(ctx, tx, req.Param("endpoint_id"), overlap)
		res := openapi.OK(gen.WebhookSecret{Secret: &secret, PreviousExpiresAt: until})
		res.Redacted = gen.WebhookSecret{PreviousExpiresAt: until}
		return res, err
	})
}

func (h *Webhooks) test(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		d, err := h.Webhooks.SendTest(ctx, tx, req.Param("endpoint_id"), "This is a test.")
		return openapi.Accepted("", delivery(d)), err
	})
}

func (h *Webhooks) recover(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	in, err := openapi.Decode[gen.WebhookRecovery](req)
	if err != nil {
		return nil, err
	}
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		return openapi.Accepted("", gen.Accepted{Status: gen.AcceptedStatusAccepted}), h.Webhooks.Recover(ctx, tx, req.Param("endpoint_id"), in.Since)
	})
}

func (h *Webhooks) deliveries(ctx context.Context, req *openapi.Request) (res *openapi.Response, err error) {
	before, err := req.After()
	if err != nil {
		return nil, err
	}
	err = h.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		list, err := h.Webhooks.Deliveries(ctx, tx, req.Param("endpoint_id"), req.Query.Get("state"), req.Query.Get("event_id"), before, req.Limit(50)+1)
		if err != nil {
			return err
		}
		list, next := page(list, req.Limit(50), func(d webhooks.Delivery) string { return d.ID })
		res, err = openapi.List(req, converted(list, delivery), next)
		return err
	})
	return res, err
}

func (h *Webhooks) resend(ctx context.Context, req *openapi.Request) (*openapi.Response, error) {
	return openapi.Write(ctx, req, h.DB, func(ctx context.Context, tx *postgres.Tx) (*openapi.Response, error) {
		d, err := h.Webhooks.Resend(ctx, tx, req.Param("delivery_id"))
		return openapi.Accepted("", delivery(d)), err
	})
}

func (h *Webhooks) events(ctx context.Context, req *openapi.Request) (res *openapi.Response, err error) {
	before, err := req.After()
	if err != nil {
		return nil, err
	}
	filter := webhooks.Filter{Type: req.Query.Get("type"), Before: before, Limit: req.Limit(50) + 1}
	// The contract has seen to the form of instants; a missing one is the zero time.
	filter.Since, _ = time.Parse(time.RFC3339Nano, req.Query.Get("since"))
	filter.Until, _ = time.Parse(time.RFC3339Nano, req.Query.Get("until"))
	err = h.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		list, err := h.Webhooks.Events(ctx, tx, filter)
		if err != nil {
			return err
		}
		list, next := page(list, req.Limit(50), func(e webhooks.Event) string { return e.ID })
		res, err = openapi.List(req, list, next)
		return err
	})
	return res, err
}

func (h *Webhooks) event(ctx context.Context, req *openapi.Request) (res *openapi.Response, err error) {
	err = h.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		e, err := h.Webhooks.Event(ctx, tx, req.Param("event_id"))
		res = openapi.OK(e)
		return err
	})
	return res, err
}

func endpoint(e webhooks.Endpoint) gen.WebhookEndpoint {
	out := gen.WebhookEndpoint{
		ID: e.ID, URL: e.URL, Description: orNil(e.Description), EventTypes: e.Events, State: "enabled",
		DisabledReason: orNil(gen.WebhookEndpointDisabledReason(e.DisabledReason)),
		CreatedAt:      e.CreatedAt.UTC(), UpdatedAt: e.UpdatedAt.UTC(),
	}
	if !e.Enabled {
		out.State = "disabled"
	}
	return out
}

func delivery(d webhooks.Delivery) gen.WebhookDelivery {
	return gen.WebhookDelivery{
		ID: d.ID, EndpointID: d.EndpointID, EventID: d.EventID, EventType: gen.EventType(d.EventType),
		State: gen.WebhookDeliveryState(d.State), Attempts: converted(d.Attempts, attempt),
		NextAttemptAt: utc(d.NextAt), DeliveredAt: utc(d.DeliveredAt), CreatedAt: d.CreatedAt.UTC(),
	}
}

func attempt(a webhooks.Attempt) gen.WebhookAttempt {
	out := gen.WebhookAttempt{Number: a.Number, At: a.At.UTC(), DurationMs: int(a.DurationMS), Error: orNil(a.Error), ResponseExcerpt: orNil(a.Excerpt)}
	if a.Status > 0 {
		out.Status = &a.Status
	}
	return out
}

// utc is an instant as the contract writes it.
func utc(at *time.Time) *time.Time {
	if at == nil {
		return nil
	}
	moved := at.UTC()
	return &moved
}
