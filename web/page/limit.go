package page

import (
	"context"
	"time"

	"github.com/stoacommerce/stoa/platform/httpserver"
	"github.com/stoacommerce/stoa/platform/limits"
)

// perMinute is how many pages an address may ask for in a minute. It is counted together
// with what programs ask the API for on behalf of shoppers.
const perMinute = 600

// Ordinary is the class of requests that no strict limit is for.
const Ordinary = "page"

// Limiter bounds what one address may ask of pages, and how often it may try what is
// worth abusing. A nil Limiter bounds nothing.
type Limiter struct {
	Limits *limits.Limiter
	Strict limits.Rules
}

// Take counts a request for a page: class is one of package limits' strict ones, or
// Ordinary, and subject is the store that it is for, if any. Its error is the problem that
// there were too many.
func (l *Limiter) Take(ctx context.Context, class, subject string) error {
	if l == nil {
		return nil
	}
	ip := httpserver.ClientFrom(ctx).Addr.String()
	policies := append([]limits.Policy{{Name: "address", Subject: limits.Address(ip), Limit: perMinute, Window: time.Minute}},
		l.Strict.Policies(class, ip, subject)...)
	decision, err := l.Limits.Take(ctx, limits.Request{Class: class, Policies: policies})
	if err != nil {
		return err
	}
	if refused := decision.Problem(); refused != nil {
		return refused
	}
	return nil
}
