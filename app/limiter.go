package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"time"

	"github.com/stoacommerce/stoa/billing"
	"github.com/stoacommerce/stoa/openapi"
	"github.com/stoacommerce/stoa/platform/limits"
	"github.com/stoacommerce/stoa/platform/principal"
)

// What those without a plan of their own may do in a minute: people of the staff by account, whose
// back office asks for many things with each screen; shoppers by address and by cart, visitors by
// address, operators by key; and, by address, who comes with a credential that is refused.
const (
	staffLimit    = 1200
	shopperLimit  = 600
	cartLimit     = 300
	visitorLimit  = 120
	operatorLimit = 1200
	refusedLimit  = 120
)

// costs is how much a request of a class takes from an allowance, where it is not one.
var costs = map[string]int64{"search": 2, "upload": 10}

// planLimiter takes requests from what the store's plan allows, and from the strict limits
// of what is worth abusing.
type planLimiter struct {
	limits *limits.Limiter
	plans  *billing.Plans
	strict limits.Rules
}

// Take implements openapi.Limiter.
func (l *planLimiter) Take(ctx context.Context, req *openapi.Request, header http.Header) error {
	decision, err := l.limits.Take(ctx, l.request(req))
	if err != nil {
		return err
	}
	decision.Headers(header)
	if refused := decision.Problem(); refused != nil {
		return refused
	}
	return nil
}

func (l *planLimiter) request(req *openapi.Request) limits.Request {
	who, class := req.Caller.Principal, req.Operation.Limit
	if who.Kind == "" { // the credential was refused
		refused := limits.Policy{Name: "refused-address", Subject: limits.Address(req.IP), Limit: refusedLimit, Window: time.Minute}
		return limits.Request{Class: class, Policies: []limits.Policy{refused}}
	}
	taken := limits.Request{Class: class, Cost: costs[class]}
	subject := who.ID
	if store := req.Caller.Store; store != nil {
		plan := l.plans.Get(store.Plan)
		taken.StoreID = store.ID
		subject = store.ID
		day := limits.Policy{Name: "store-day", Subject: store.ID, Window: 24 * time.Hour, Observe: who.Kind == principal.Publishable}
		if plan.RequestsPerDay != nil {
			day.Limit = *plan.RequestsPerDay
		}
		switch who.Kind {
		case principal.Publishable:
			taken.Policies = shoppers(req)
		case principal.Account:
			taken.Policies = []limits.Policy{{Name: "account", Subject: who.ID + store.ID, Limit: staffLimit, Window: time.Minute}}
			day.Limit = 0 // a plan says how much programs may ask
		default:
			taken.Policies = []limits.Policy{{Name: "key", Subject: who.ID + store.ID, Limit: plan.RequestsPerMinute, Window: time.Minute}}
		}
		if day.Limit > 0 {
			taken.Policies = append(taken.Policies, day)
		}
	} else {
		taken.Policies = []limits.Policy{outsider(req)}
	}
	if class == "none" {
		taken.Policies = nil
	}
	taken.Policies = append(taken.Policies, l.strict.Policies(class, req.IP, subject)...)
	return taken
}

// shoppers are limited by address and by cart: the publishable key is everyone's.
func shoppers(req *openapi.Request) []limits.Policy {
	list := []limits.Policy{{Name: "address", Subject: limits.Address(req.IP), Limit: shopperLimit, Window: time.Minute}}
	if token := req.Header.Get("Cart-Token"); token != "" {
		sum := sha256.Sum256([]byte(token))
		list = append(list, limits.Policy{Name: "cart", Subject: hex.EncodeToString(sum[:12]), Limit: cartLimit, Window: time.Minute})
	}
	return list
}

// outsider is the limit of those who act in no store.
func outsider(req *openapi.Request) limits.Policy {
	who := req.Caller.Principal
	if who.Kind == principal.Operator {
		return limits.Policy{Name: "key", Subject: who.ID, Limit: operatorLimit, Window: time.Minute}
	}
	return limits.Policy{Name: "address", Subject: limits.Address(req.IP), Limit: visitorLimit, Window: time.Minute}
}
