// Package certificates obtains certificates for domains from an authority that speaks ACME
// (RFC 8555), and lays them down as files where a server in front finds them. Which domains
// may have one, when they are renewed and where they are kept is the caller's to know.
package certificates

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"golang.org/x/crypto/acme"
)

// Certificate is a certificate with its key, both in PEM.
type Certificate struct {
	Chain     []byte // the domain's own first
	Key       []byte
	NotBefore time.Time
	NotAfter  time.Time
}

// RenewAt is when there should be another one: when a third of its time is left.
func (c *Certificate) RenewAt() time.Time {
	return c.NotBefore.Add(c.NotAfter.Sub(c.NotBefore) * 2 / 3)
}

// Authority is an account with a certificate authority.
type Authority struct {
	client  *acme.Client
	contact []string

	mu         sync.Mutex
	registered bool
}

// Open prepares an account by the authority's directory, an e-mail address that it may write
// to, and the 32 bytes that make the account's key. The authority is not asked yet. It is by
// client, or by the usual one where that is nil.
func Open(directory, email string, seed []byte, client *http.Client) (*Authority, error) {
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), seed)
	if err != nil {
		return nil, fmt.Errorf("key of the account with %s: %w", directory, err)
	}
	a := &Authority{client: &acme.Client{Key: key, DirectoryURL: directory, UserAgent: "stoa", HTTPClient: client}}
	if email != "" {
		a.contact = []string{"mailto:" + email}
	}
	return a, nil
}

// Answer is what the authority wants to read at a domain, under a token that it chose
// (HTTP-01). It says nothing but whose account this is, so that it can be given to anyone, for any
// token, by any replica: the authority asks only for what this account ordered.
func (a *Authority) Answer(token string) (string, error) {
	return a.client.HTTP01ChallengeResponse(token)
}

// Obtain asks for a certificate for a domain. The authority calls at the domain, on port 80,
// before this returns.
func (a *Authority) Obtain(ctx context.Context, domain string) (*Certificate, error) {
	c, err := a.obtain(ctx, domain)
	if err != nil {
		return nil, fmt.Errorf("obtain a certificate for %s: %w", domain, err)
	}
	return c, nil
}

func (a *Authority) obtain(ctx context.Context, domain string) (*Certificate, error) {
	if err := a.register(ctx); err != nil {
		return nil, err
	}
	order, err := a.client.AuthorizeOrder(ctx, acme.DomainIDs(domain))
	if err != nil {
		return nil, err
	}
	for _, url := range order.AuthzURLs {
		if err := a.prove(ctx, url); err != nil {
			return nil, err
		}
	}
	if order, err = a.client.WaitOrder(ctx, order.URI); err != nil {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	request, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{DNSNames: []string{domain}}, key)
	if err != nil {
		return nil, err
	}
	chain, _, err := a.client.CreateCertFromOrder(ctx, order, request, true)
	if err != nil {
		return nil, err
	}
	return encode(domain, chain, key)
}

// register makes the account, once, or finds it.
func (a *Authority) register(ctx context.Context) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.registered {
		return nil
	}
	_, err := a.client.Register(ctx, &acme.Account{Contact: a.contact}, acme.AcceptTOS)
	if err != nil && !errors.Is(err, acme.ErrAccountAlreadyExists) {
		return fmt.Errorf("account: %w", err)
	}
	a.registered = true
	return nil
}

// prove has the authority look for the answer at the domain.
func (a *Authority) prove(ctx context.Context, url string) error {
	authorization, err := a.client.GetAuthorization(ctx, url)
	if err != nil || authorization.Status == acme.StatusValid {
		return err
	}
	for _, challenge := range authorization.Challenges {
		if challenge.Type != "http-01" {
			continue
		}
		if _, err := a.client.Accept(ctx, challenge); err != nil {
			return err
		}
		_, err := a.client.WaitAuthorization(ctx, url)
		return err
	}
	return errors.New("the authority offers no HTTP-01")
}

// encode reads what the authority gave, and holds it against what was asked for.
func encode(domain string, chain [][]byte, key *ecdsa.PrivateKey) (*Certificate, error) {
	if len(chain) == 0 {
		return nil, errors.New("the authority gave no certificate")
	}
	leaf, err := x509.ParseCertificate(chain[0])
	if err != nil {
		return nil, err
	}
	if err := leaf.VerifyHostname(domain); err != nil {
		return nil, err
	}
	if !key.PublicKey.Equal(leaf.PublicKey) {
		return nil, errors.New("the certificate is for another key")
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	c := &Certificate{NotBefore: leaf.NotBefore, NotAfter: leaf.NotAfter, Key: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})}
	for _, der := range chain {
		c.Chain = append(c.Chain, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	return c, nil
}

// Reason is what the authority says of why there is no certificate, for whoever owns the
// domain; empty where it said nothing.
func Reason(err error) string {
	var authorization *acme.AuthorizationError
	if errors.As(err, &authorization) && len(authorization.Errors) > 0 {
		err = authorization.Errors[0]
	}
	var order *acme.OrderError
	if errors.As(err, &order) && order.Problem != nil {
		err = order.Problem
	}
	var refused *acme.Error
	if errors.As(err, &refused) {
		return refused.Detail
	}
	return ""
}
