package handler

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/supermax-hpo/supermax/shared/protocol"
	"github.com/supermax-hpo/supermax/shared/store"
	"github.com/supermax-hpo/supermax/shared/study"
)

// maxBody bounds a request: a tell of 40 epochs with 6 seeds has about 60 KB.
const maxBody = 4 << 20

// HTTP serves what slots need: POST /v1/ask, /v1/tell and /v1/heartbeat, as
// [protocol.HTTPTransport] sends them. The other steps stay with whoever holds the Service:
// workers hold no power. Every request carries the token as a bearer; an empty token lets
// nobody in.
func HTTP(s *Service, token string) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/v1/ask", endpoint(s, s.Ask))
	mux.Handle("/v1/tell", endpoint(s, s.Tell))
	mux.Handle("/v1/heartbeat", endpoint(s, s.Heartbeat))
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, http.StatusNotFound, protocol.CodeNotFound, "there is no such call")
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !authorized(r, token) {
			refuse(w, http.StatusUnauthorized, protocol.CodeUnauthorized, "the token is missing or wrong")
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// authorized compares hashes, so that its time says nothing about the token.
func authorized(r *http.Request, token string) bool {
	given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	want, got := sha256.Sum256([]byte(token)), sha256.Sum256([]byte(given))
	return subtle.ConstantTimeCompare(want[:], got[:]) == 1 && ok && token != ""
}

// endpoint serves one call.
func endpoint[Req, Reply any](s *Service, call func(context.Context, Req) (Reply, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", http.MethodPost)
			refuse(w, http.StatusMethodNotAllowed, protocol.CodeInvalid, "the method is "+r.Method+"; allowed: POST")
			return
		}
		req, err := protocol.Decode[Req](http.MaxBytesReader(w, r.Body, maxBody))
		var tooLarge *http.MaxBytesError
		switch {
		case errors.As(err, &tooLarge):
			refuse(w, http.StatusRequestEntityTooLarge, protocol.CodeInvalid, err.Error())
			return
		case err != nil:
			refuse(w, http.StatusBadRequest, protocol.CodeInvalid, err.Error())
			return
		}
		reply, err := call(r.Context(), req)
		if err != nil {
			code := Code(err)
			if code == protocol.CodeUnavailable && r.Context().Err() == nil {
				s.logger().Error("request failed", "call", r.URL.Path, "error", err)
			}
			refuse(w, statuses[code], code, err.Error())
			return
		}
		answer(w, http.StatusOK, reply)
	})
}

// statuses are the codes' HTTP statuses.
var statuses = map[protocol.ErrorCode]int{
	protocol.CodeInvalid:     http.StatusBadRequest,
	protocol.CodeNotFound:    http.StatusNotFound,
	protocol.CodeConflict:    http.StatusConflict,
	protocol.CodeUnavailable: http.StatusServiceUnavailable,
}

// Code returns what a caller over the wire is told of an error of a [Service].
func Code(err error) protocol.ErrorCode {
	var refused *study.Error
	switch {
	case errors.As(err, &refused):
		return refused.Code
	case errors.Is(err, study.ErrNewerSchema), errors.Is(err, store.ErrNewerSchema):
		return protocol.CodeConflict // no repetition makes this program newer
	}
	return protocol.CodeUnavailable
}

func refuse(w http.ResponseWriter, status int, code protocol.ErrorCode, message string) {
	answer(w, status, protocol.ErrorReply{SchemaVersion: protocol.Version, Code: code, Message: message})
}

// answer writes JSON. What the peer does not take it asks for again.
func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
