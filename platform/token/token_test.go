package token_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stoacommerce/stoa/platform/token"
)

func TestTokens(t *testing.T) {
	a, b := token.New("ct"), token.New("ct")
	if a == b || !strings.HasPrefix(a, "ct_") || len(a) != 3+32 {
		t.Fatalf("tokens %q and %q", a, b)
	}
	if bytes.Equal(token.Hash(a), token.Hash(b)) || len(token.Hash(a)) != 32 || !bytes.Equal(token.Hash(a), token.Hash(a)) {
		t.Fatal("digests do not tell tokens apart")
	}
}
