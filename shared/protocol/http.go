package protocol

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

const (
	// attemptTimeout ends an attempt that a frozen server would hold for ever. It is far
	// beyond what an answer takes; the call is then repeated.
	attemptTimeout = time.Minute
	// maxReply bounds what is read of an answer.
	maxReply = 16 << 20
)

// An HTTPTransport posts calls to Endpoint/v1/<name>. It may be used from many goroutines
// at once.
type HTTPTransport struct {
	Endpoint string       // for example http://127.0.0.1:7411
	Token    string       // the bearer token
	HTTP     *http.Client // nil: http.DefaultClient
}

var _ Transport = (*HTTPTransport)(nil)

// Call implements [Transport].
func (t *HTTPTransport) Call(ctx context.Context, name string, body []byte) (reply []byte, retry bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.Endpoint+"/v1/"+name, bytes.NewReader(body))
	if err != nil {
		return nil, false, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+t.Token)
	client := t.HTTP
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, true, err
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxReply+1))
	switch {
	case err != nil:
		return nil, true, fmt.Errorf("read reply: %w", err)
	case len(data) > maxReply:
		return nil, false, errors.New("read reply: it is too long")
	case resp.StatusCode == http.StatusOK:
		return data, false, nil
	}
	refused := &Error{Status: resp.StatusCode}
	var answer ErrorReply
	if json.Unmarshal(data, &answer) == nil { // a proxy's answer is no ErrorReply
		refused.Code, refused.Message = answer.Code, answer.Message
	}
	switch resp.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return nil, true, refused
	}
	return nil, false, refused
}
