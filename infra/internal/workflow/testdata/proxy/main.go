// Command proxy is a Lambda that the test answers: it posts what it is invoked with to the
// test's address and returns what comes back.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"
)

func main() {
	lambda.Start(func(ctx context.Context, payload json.RawMessage) (json.RawMessage, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, os.Getenv("TEST_URL"), bytes.NewReader(payload))
		if err != nil {
			return nil, err
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return nil, err
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			return nil, err
		}
		if kind := resp.Header.Get("Error-Type"); kind != "" {
			return nil, messages.InvokeResponse_Error{Type: kind, Message: string(body)}
		}
		return body, nil
	})
}
