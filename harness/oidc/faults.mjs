// Every call is recorded, and may be broken: before it reaches the provider, or after it took effect.

export class Traffic {
  down = false;
  calls = [];
  faults = new Map();
  /** The record of a request, to be completed by who answers it. */
  records = new WeakMap();

  reset() {
    this.calls = [];
    this.faults.clear();
  }

  /** Hands the request over to `serve`, unless something is in its way. */
  receive(request, response, serve) {
    if (this.down) {
      request.socket.destroy();
      return;
    }
    const endpoint = new URL(request.url, 'http://server').pathname.split('/')[1];
    const record = { endpoint, method: request.method, client: null, grant_type: null, status: null, error: null };
    this.calls.push(record);
    this.records.set(request, record);
    const number = this.calls.filter((call) => call.endpoint === endpoint).length;
    const fault = this.faults.get(`${endpoint} ${number}`);
    if (!fault) {
      serve(request, response);
    } else if (fault.when === 'before') {
      misbehave(fault, request, response);
    } else {
      // The answer is complete when it is ended: by then the call has taken effect.
      const end = response.end;
      response.end = () => {
        response.end = end;
        for (const name of response.getHeaderNames()) response.removeHeader(name);
        misbehave(fault, request, response);
        return response;
      };
      serve(request, response);
    }
  }
}

function misbehave({ action, status, headers, body }, request, response) {
  switch (action) {
    case 'drop':
      request.socket.destroy();
      break;
    case 'hang':
      break;
    case 'answer':
      response.writeHead(status, headers).end(body);
      break;
    default:
      throw new Error(`unknown action ${action}`);
  }
}
