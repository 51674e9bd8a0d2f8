package nginx_test

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"github.com/stoacommerce/stoa/deploy/nginx"
	"github.com/stoacommerce/stoa/internal/issue"
)

// Where the certificate's authority has a responder, its word comes with the certificate.
func TestTheAuthoritysWordIsStapled(t *testing.T) {
	t.Parallel()
	authority, authorityKey := certified(t, &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Authority, for tests"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}, nil, nil)
	responder := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		answer, err := ocsp.CreateResponse(authority, authority, ocsp.Response{
			Status: ocsp.Good, SerialNumber: big.NewInt(2), ThisUpdate: time.Now().Add(-time.Minute), NextUpdate: time.Now().Add(time.Hour),
		}, authorityKey)
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "application/ocsp-response")
		_, _ = w.Write(answer) // shows in the handshake
	}))
	t.Cleanup(responder.Close)
	certificate, key := certified(t, &x509.Certificate{
		SerialNumber: big.NewInt(2), DNSNames: hosts, OCSPServer: []string{responder.URL}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, authority, authorityKey)

	dir := t.TempDir()
	write := func(name string, blocks ...*pem.Block) string {
		var text []byte
		for _, block := range blocks {
			text = append(text, pem.EncodeToMemory(block)...)
		}
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	trusted := write("ca.crt", &pem.Block{Type: "CERTIFICATE", Bytes: authority.Raw})
	s := startNginx(t, nginx.Values{
		"STOA_NGINX_CERTIFICATE":     write("own.crt", &pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw}, &pem.Block{Type: "CERTIFICATE", Bytes: authority.Raw}),
		"STOA_NGINX_CERTIFICATE_KEY": write("own.key", &pem.Block{Type: "PRIVATE KEY", Bytes: private}),
		"STOA_NGINX_STAPLING":        "ssl_stapling on; ssl_stapling_verify on; ssl_trusted_certificate " + trusted + ";",
	}, startReplica(t, "a").Addr())
	roots := x509.NewCertPool()
	roots.AddCert(authority)
	// Nginx asks the responder after the first handshake.
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		conn, err := tls.Dial("tcp", s.HTTPS, &tls.Config{RootCAs: roots, ServerName: "shops.test"})
		if err != nil {
			t.Fatal(err)
		}
		stapled := conn.OCSPResponse()
		_ = conn.Close()
		if word, err := ocsp.ParseResponseForCert(stapled, certificate, authority); err == nil && word.Status == ocsp.Good {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("nothing is stapled: %x", stapled)
		}
	}
}

// certified makes a certificate that the authority signs, or that signs itself.
func certified(t *testing.T, about, authority *x509.Certificate, signer crypto.Signer) (*x509.Certificate, crypto.Signer) {
	t.Helper()
	made, key, err := issue.Certificate(about, authority, signer)
	if err != nil {
		t.Fatal(err)
	}
	return made, key
}
