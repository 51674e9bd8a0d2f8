package app_test

import (
	"encoding/pem"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stoacommerce/stoa/app/apptest"
	"github.com/stoacommerce/stoa/platform/certificates/catest"
)

// here is where merchants' domains are to lead, in tests.
const here = "127.0.0.1"

// ofDomains has replicas look merchants' domains up, get certificates from an authority that calls
// at them through Nginx, and lay those down where Nginx finds them.
func (f *front) ofDomains(t *testing.T, dir string, replicas ...apptest.Env) {
	t.Helper()
	f.names = catest.StartNames(t)
	_, port, _ := net.SplitHostPort(f.HTTP)
	at, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	authority := catest.Start(t, f.names, at)
	f.Roots.AddCert(authority.Root)
	trusted := filepath.Join(t.TempDir(), "authority.pem")
	if err := os.WriteFile(trusted, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: authority.Site.Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, env := range replicas {
		env["STOA_DOMAINS_ADDRESSES"], env["STOA_DNS_SERVER"] = here, f.names.Addr
		env["STOA_ACME_DIRECTORY"], env["STOA_CERTIFICATES_DIR"] = authority.Directory, dir
		env["SSL_CERT_FILE"] = trusted
	}
}

// lead makes the records that a claim of a domain asks for.
func lead(t testing.TB, names *catest.Names, claimed said) {
	t.Helper()
	for _, each := range claimed["records"].([]any) {
		switch record := said(each.(map[string]any)); record.text("type") {
		case "TXT":
			names.Set(t, record.text("name"), "TXT", strconv.Quote(record.text("value")))
		case "CNAME":
			names.Set(t, record.text("name"), "CNAME", record.text("value"))
			names.Set(t, record.text("value"), "A", here)
		}
	}
}

// domains has a merchant bring a domain: from the claim to the shop that is served there over
// HTTPS, by both replicas, and to its end.
func (f *front) domains(t *testing.T) {
	name, m := "www.d"+run()+".com", f.m
	claimed := m.call(t, "POST", "/v1/domains", m.secret, map[string]any{"name": name}, http.StatusCreated)
	path := "/v1/domains/" + claimed.text("id")
	if answer, text := ask(t, f.Client(false), "GET", "http://"+name+"/", nil, "Accept", "text/html"); answer.StatusCode != http.StatusNotFound || !strings.Contains(text, "There is no shop at this address") {
		t.Fatalf("a host that is nobody's answered %d: %s", answer.StatusCode, text)
	}
	if answer, err := f.Client(true).Get("https://" + name + "/"); err == nil {
		_ = answer.Body.Close()
		t.Error("a connection begins with a host that is nobody's")
	}
	lead(t, f.names, claimed)
	if verified := m.call(t, "POST", path+"/verify", m.secret, nil, http.StatusOK); verified.text("state") != "active" || verified["primary"] != true {
		t.Fatalf("verified as %v", verified)
	}

	// Soon its certificate is there, and the shop is at it, whichever replica is asked.
	below := strings.Replace(shopsURL, "://", "://"+m.address+".", 1)
	if !soon(patience, func() bool {
		answer, err := f.Client(true).Get("https://" + name + "/")
		if err == nil {
			_ = answer.Body.Close()
		}
		return err == nil && answer.StatusCode == http.StatusOK
	}) {
		t.Fatal("it is waited in vain: the shop is at the domain")
	}
	if !soon(patience, func() bool {
		for range 4 {
			answer, _ := ask(t, f.Client(true), "GET", below+"/products?sort=title", nil)
			if answer.StatusCode != http.StatusMovedPermanently || answer.Header.Get("Location") != "https://"+name+"/products?sort=title" {
				return false
			}
		}
		return true
	}) {
		t.Fatal("it is waited in vain: its other address leads there")
	}
	if answer, text := ask(t, f.Client(true), "GET", "https://"+name+"/", nil); !strings.Contains(text, `rel="canonical" href="https://`+name+`/"`) || answer.Header.Get("Strict-Transport-Security") == "" {
		t.Errorf("the shop is shown as %v, %s", answer.Header, text)
	}
	if told := m.call(t, "GET", path, m.secret, nil, http.StatusOK); told.text("certificate", "state") != "issued" || m.call(t, "GET", "/v1/store", m.secret, nil, http.StatusOK).text("shop_url") != "https://"+name {
		t.Errorf("the merchant is told %v", told)
	}

	// It leads elsewhere, at first by mistake, and then for good.
	f.names.Set(t, name, "CNAME")
	if failing := m.call(t, "POST", path+"/verify", m.secret, nil, http.StatusOK); failing.text("state") != "failing" {
		t.Fatalf("it is %v", failing)
	}
	// Nginx keeps a page for a moment.
	if !soon(patience, func() bool {
		answer, _ := ask(t, f.Client(true), "GET", "https://"+name+"/", nil)
		return answer.StatusCode == http.StatusMovedPermanently && answer.Header.Get("Location") == below+"/"
	}) {
		t.Error("who still finds it is not led to the shop's own address")
	}
	f.first.Exec(`update domains set failing_since = now() - interval '1 day' where name = $1`, name)
	if lost := m.call(t, "POST", path+"/verify", m.secret, nil, http.StatusOK); lost.text("state") != "lost" {
		t.Fatalf("it is %v", lost)
	}
	if !soon(patience, func() bool {
		answer, err := f.Client(true).Get("https://" + name + "/")
		if err == nil {
			_ = answer.Body.Close()
		}
		return err != nil
	}) {
		t.Fatal("it is waited in vain: it is served no more")
	}
	m.call(t, "DELETE", path, m.secret, nil, http.StatusNoContent)
}
