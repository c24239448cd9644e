/* A module of nginx: each request of its location is a turn of each function of spin.h. */
#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "spin.h"

static ngx_str_t said_path;

static ngx_int_t spin_handler(ngx_http_request_t* request) {
  FILE* said = fopen((const char*)said_path.data, "a");
  ngx_int_t rc;

  if (!said) return NGX_HTTP_INTERNAL_SERVER_ERROR;
  turns(said);
  fclose(said);
  rc = ngx_http_discard_request_body(request);
  if (rc != NGX_OK) return rc;
  request->headers_out.status = NGX_HTTP_NO_CONTENT;
  request->header_only = 1;
  return ngx_http_send_header(request);
}

static char* spin(ngx_conf_t* cf, ngx_command_t* command, void* conf) {
  ngx_http_core_loc_conf_t* location = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

  (void)command;
  (void)conf;
  said_path = ((ngx_str_t*)cf->args->elts)[1];
  location->handler = spin_handler;
  return NGX_CONF_OK;
}

static ngx_command_t commands[] = {
    {ngx_string("spin"), NGX_HTTP_LOC_CONF | NGX_CONF_TAKE1, spin, 0, 0, NULL},
    ngx_null_command,
};

static ngx_http_module_t context = {NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL};

ngx_module_t spin_module = {
    NGX_MODULE_V1, &context, commands, NGX_HTTP_MODULE, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NGX_MODULE_V1_PADDING,
};

ngx_module_t* ngx_modules[] = {&spin_module, NULL};
char* ngx_module_names[] = {"spin_module", NULL};
char* ngx_module_order[] = {NULL};
