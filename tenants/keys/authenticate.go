package keys

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/tenants"
)

// credential is what is remembered of a key. But for noted it must not be changed.
type credential struct {
	Key
	networks []netip.Prefix
	noted    atomic.Int64 // the minute in which its use was noted last
}

// Authenticate finds out whom a key speaks for. A text that cannot be a key costs nothing
// but its checksum, and a key that is in use no statement at all. Of a key that there is and
// that may not be used any more, or not from there, it gives whose it is beside the problem.
func (s *Service) Authenticate(ctx context.Context, key string, origin tenants.Origin) (tenants.Caller, error) {
	if !genuine(key) {
		return tenants.Caller{}, unknown()
	}
	c, err := s.find(ctx, key)
	if err != nil {
		return tenants.Caller{}, err
	}
	if refused := c.refused(origin); refused != nil {
		store, err := s.config.Stores.Born(ctx, c.StoreID, c.Mode)
		if err != nil {
			return tenants.Caller{}, refused
		}
		return c.caller(&store), refused
	}
	store, err := s.config.Stores.ByID(ctx, c.StoreID, c.Mode)
	if p := problem.As(err); p != nil && p.Kind == problem.NotFound {
		return tenants.Caller{}, unknown()
	}
	if err != nil {
		return tenants.Caller{}, fmt.Errorf("store of key %s: %w", c.ID, err)
	}
	if minute := time.Now().Unix() / 60; c.noted.Swap(minute) != minute {
		s.used.note(c.ID, time.Now())
	}
	return c.caller(&store), nil
}

func unknown() error {
	return problem.New(problem.Unauthenticated, "invalid_key", "There is no such key.")
}

// find looks a key up. That there is none is not remembered, so that nobody can fill the
// memory with keys of their own making.
func (s *Service) find(ctx context.Context, key string) (*credential, error) {
	digest := s.config.Pepper.HMAC(key)
	return s.known.Get(ctx, place(digest), func(ctx context.Context) (*credential, error) {
		c := &credential{}
		err := s.db.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) (err error) {
			c.Key, err = scan(tx.QueryRow(ctx, selectByDigest, digest))
			return err
		})
		if problem.Is(err, "not_found") {
			return nil, unknown()
		}
		if err != nil {
			return nil, fmt.Errorf("look up a key: %w", err)
		}
		for _, text := range c.AllowedIPs {
			network, err := parseIP(text)
			if err != nil {
				return nil, fmt.Errorf("allowed address %q of key %s: %w", text, c.ID, err)
			}
			c.networks = append(c.networks, network)
		}
		return c, nil
	})
}

// refused says why the key opens nothing, if it does not: it was revoked, has expired, or may
// not be used from there. Only browsers tell an origin.
func (c *credential) refused(origin tenants.Origin) error {
	switch c.State() {
	case Revoked:
		return problem.New(problem.Unauthenticated, "invalid_key", "The key was revoked.")
	case Expired:
		return problem.New(problem.Unauthenticated, "invalid_key", "The key has expired.")
	}
	if len(c.networks) > 0 {
		addr, err := netip.ParseAddr(origin.IP)
		addr = addr.Unmap().WithZone("")
		if err != nil || !slices.ContainsFunc(c.networks, func(n netip.Prefix) bool { return n.Contains(addr) }) {
			return problem.New(problem.Forbidden, "ip_not_allowed", "The key may not be used from this address.")
		}
	}
	if len(c.AllowedOrigins) > 0 && origin.Origin != "" && !slices.Contains(c.AllowedOrigins, strings.ToLower(origin.Origin)) {
		return problem.New(problem.Forbidden, "origin_not_allowed", "The key may not be used from this origin.")
	}
	return nil
}

// caller is who acts with the key in its store.
func (c *credential) caller(store *tenants.Store) tenants.Caller {
	who := principal.Principal{Kind: principal.Key, ID: c.ID, Label: c.Name, StoreID: c.StoreID, Mode: c.Mode, Plan: store.Plan}
	switch c.Kind {
	case Secret:
		who.Grants = everything
	case Restricted:
		who.Grants = c.Scopes
	case Publishable:
		who.Kind = principal.Publishable
	}
	return tenants.Caller{Principal: who, Store: store, APIVersion: c.APIVersion}
}
