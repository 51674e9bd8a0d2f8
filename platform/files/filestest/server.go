package filestest

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http/httptest"
	"testing"

	"github.com/rclone/gofakes3"
	"github.com/rclone/gofakes3/s3mem"

	"github.com/stoacommerce/stoa/internal/issue"
)

// Server is a server that speaks S3 by TLS, as pgBackRest asks for, under a certificate of an
// authority of its own.
type Server struct {
	Port      string // on localhost
	Authority []byte // the authority's certificate, in PEM

	backend *s3mem.Backend
}

// StartServer starts a server for the time of a test.
func StartServer(t testing.TB) *Server {
	t.Helper()
	s := &Server{backend: s3mem.New()}
	server := httptest.NewUnstartedServer(serve(s.backend))
	var own tls.Certificate
	own, s.Authority = certify(t)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{own}, MinVersion: tls.VersionTLS12}
	server.StartTLS()
	t.Cleanup(server.Close)
	_, s.Port, _ = net.SplitHostPort(server.Listener.Addr().String())
	return s
}

// Bucket makes a bucket and gives its address for files.OpenS3.
func (s *Server) Bucket(t testing.TB, name string) (address string) {
	t.Helper()
	if err := s.backend.CreateBucket(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	return "s3://" + AccessKey + ":" + Secret + "@localhost:" + s.Port + "/" + name
}

// Keys are the keys in a bucket that begin with prefix.
func (s *Server) Keys(t testing.TB, bucket, prefix string) (keys []string) {
	t.Helper()
	all, err := s.backend.ListBucket(t.Context(), bucket, &gofakes3.Prefix{HasPrefix: true, Prefix: prefix}, gofakes3.ListBucketPage{})
	if err != nil {
		t.Fatal(err)
	}
	for _, object := range all.Contents {
		keys = append(keys, object.Key)
	}
	return keys
}

// Read is what lies under a key.
func (s *Server) Read(t testing.TB, bucket, key string) []byte {
	t.Helper()
	object, err := s.backend.GetObject(t.Context(), bucket, key, nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(object.Contents)
	if err = errors.Join(err, object.Contents.Close()); err != nil {
		t.Fatal(err)
	}
	return body
}

// certify makes a certificate for localhost, and the one of the authority that signed it.
func certify(t testing.TB) (own tls.Certificate, authority []byte) {
	t.Helper()
	sign := func(about, by *x509.Certificate, signer crypto.Signer) (*x509.Certificate, crypto.Signer) {
		made, key, err := issue.Certificate(about, by, signer)
		if err != nil {
			t.Fatal(err)
		}
		return made, key
	}
	root, rootKey := sign(&x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Authority of a test"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}, nil, nil)
	leaf, key := sign(&x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, root, rootKey)
	return tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: key}, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Raw})
}
