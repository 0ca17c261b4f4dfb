// Made by template/make_template.py; not edited by hand.

/** Image groups that one file can hold. */
export const TEMPLATE_IMAGE_GROUPS = 32;
/** Where the root group's symbol table node begins. */
export const TEMPLATE_ROOT_NODE = 1504;
/** The file, gzip in base64. */
export const TEMPLATE = [
  'H4sIAAAAAAACA+1bTWwbRRRer53WRGnkViVJQ9WmpQRT/pLNn4MKpFKLfIIIcuhts/GO423t9bK7ThOEIOIEtxw5Ik4VQijigDhG',
  'HKqcUI4Rp5yqHCNOvZWZnTeb8cQ7tglIUTIjRc87872Z2W/evPdm7HxXvPfRhd7hXo2UbFbLaDmNLy+gbNxtfmbtiyBTIL8F+URn',
  '9amobQjqL0L/Im7h0/v3CfqFUNg4ez1UZjVVzmIp3r87T+QDeGZWuq03474S7LF4zHGT7LeYps+VHt5+zyfab+FC8/5YvA32D8/7',
  '7zbPd+8qlc/heWOGyhF4sfwHMD60V25SOaRM5UTb7yKsXwHkwev/77ifffzJPWLBzG+OpIX9IdixKkl+IEM5O8ee6U5LpVIt42Va',
  'e9JDWkYxvyH+UEGWzTCjWHUB160gP3DqbuzPdPhUrlrLATzn4pg3p9WQFTR8VENuaDYcW+uF9gxdWS0oWa5ZqjfcEPmkpl9ot0qf',
  'N5zACfGYZujUkBmEVs3TtEsCzqus4XlV68trTTBtAP8Rt9UH9pPmfDHTdRu1JeSb9bIZYKUqCgBzU3hHa8VyqtZSFZmliuW6qArA',
  'WyKuFDorHGhUaIcGs2YFjyK/CHNchznmuDkyHm0HM+Xbpuej2Afzfcbt9SAkNT+JYyLCMLwgrvlZaEduqW477rIZeFYJmT4q0zn8',
  'IuBC33qISmHdXzNtzLNLjIHQsCng6EB0LRoY8CuJQyPXY84Hs9rg1/gTnm+0uMzOfktYr1a6PrZPPAuf6f7Rha5XsQLEKf/ZhW5Q',
  'dUq87l/djGuFDtkLYWRHh2//rIs+HHs1qvmb7MteaqeP6LpFy0isH3nmuMbZEVuXFjhD4/btoa0j31pG0dhN60reHVxKk33VXWwa',
  '1PZYzsu3R3zjT71CvY88FHIW0CeOh2iX/Ufql4lPier4+kZA/cgl4DMHfGZbcEGwpuPGc76cojojok720FdEOuVq3QKtyQSdVutG',
  '9k6Ud2HgFZhLK5xthRapsdvgevBoZEw9Td18Fvx7WteZSyeqYaoprmbiOebPy+NHAeTOy3LcHMv/BuQ4lkduvno64uq+3mlc3dBJ',
  'y4BOOeXjqqwMvERjAx9zZaVVPM52oJMUq3Md6CbF8ctd6DYF7A7OA53E7qtdcNUczTXtWhe6YpwbaaPbah8/xs62XPdrpmPH+USn',
  '4zNfkW+jw/wIz12H/qPAnytvkPybdoBj1FyGpOCjw5r2VEvODckczXDNQ9CPnmCrmTb22CfMv2aFvrNqBs4XKB7zNsQmMdeLx3JQ',
  '1SbmsuKgx5L8sNU6iXYi5odiLnPrGLnM2DFymTvHyGWK/0Eus9BFHyzPWEzIM5ba5Bl2Qp5RbpNnVBLyjIdHcvnW549qh+cPr4Pz',
  'h1PDDHAb5EthDrTdcW20Gt8XHW3HiYmDAg4WnSdk+c43Wvf5zo9a5/mOFeL9udQICRs+OVtUkcvydP79U9gTpbgDfvt4mot41PXV',
  'i3z7oT/Tk/wZme7TQ42NE5pfKD4UH6fpHkqtn+JD8dHd/XePtsvO14YcvwdyfkKO22ff40zKcQcgvSk5jn3Psz6t/I7aZ4oPxcfp',
  '9MMeuw+9LsevsjN0m0ugdZAPbshx7E6nmd2jhd2XrfcrP6z2meJD8XE6z7vcXVx0B8vuzdmFbHQPVkSWTb+CoM9jIMdBGiAnQE6C',
  'nAI5DXIGZAHkLOtnDOQ4SAPkBMhJkFMgp0HOgCyAnIX5QH8G9GdAfwb0Z0B/BvRnQH8G9GdAfwb0NwH9TYzHv5fJK3v7F3E/E89u',
  'q80XMt+D3HlNjvuBnddG5Tj2+7r5N9S9j/Lrig/Fx1n2w+ei35ZFfvFNOf53Jt+S47ZAbr8tx22D3H1HjtsBOTYux7HfSR8MKrtS',
  '+0zxofhQfCg+Ts89KeNjtyDHZwG3PyvH5QD3/L0295+Ay96R49j/IQ29r85Lap8pPhQfio+zcH6ch+fNK3J8HmjyPpTjxgC3PifH',
  'sf/73RqW4xbZOfIVOY7932z+mrIrtc9OTvkHDxeSeZBBAAA=',
].join('');
