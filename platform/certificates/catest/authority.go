// Package catest gives tests what lies outside of the house where certificates are concerned: an
// authority that speaks ACME (Pebble), and a server of the domain name system.
package catest

import (
	"crypto/x509"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"
)

// Authority is a certificate authority that looks names up, and calls at domains.
type Authority struct {
	Directory string            // its address
	Client    *http.Client      // trusts the authority's own site
	Site      *x509.Certificate // of that site
	Root      *x509.Certificate // whoever trusts it trusts the certificates that are given

	store *db.MemoryStore
}

// Start starts an authority for the time of a test. It looks domains up by names, and calls at
// them at a port in place of 80.
func Start(t testing.TB, names *Names, port int) *Authority {
	t.Helper()
	// Pebble takes its time and refuses some of what is right, unless the environment says otherwise.
	for name, value := range map[string]string{"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "5"} {
		if err := os.Setenv(name, value); err != nil {
			t.Fatal(err)
		}
	}
	quiet := log.New(io.Discard, "", 0)
	a := &Authority{store: db.NewMemoryStore()}
	profiles := map[string]ca.Profile{"default": {Description: "For tests", ValidityPeriod: 90 * 24 * 3600}}
	issuer := ca.New(quiet, a.store, "", "ecdsa", 0, 1, profiles)
	validator := va.New(quiet, port, 0, false, names.Addr, a.store)
	front := wfe.New(quiet, a.store, validator, issuer, []string{"catest.example"}, false, false, 0, 0)
	server := httptest.NewTLSServer(front.Handler())
	t.Cleanup(server.Close)
	a.Directory, a.Client, a.Site, a.Root = server.URL+wfe.DirectoryPath, server.Client(), server.Certificate(), issuer.GetRootCert(0).Cert
	return a
}

// Refuse has it give no certificate for a domain.
func (a *Authority) Refuse(t testing.TB, domain string) {
	t.Helper()
	if err := a.store.AddBlockedDomain(domain); err != nil {
		t.Fatal(err)
	}
}
